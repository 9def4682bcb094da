"""What the commands print: tables for people, or one JSON object; a module per command."""
