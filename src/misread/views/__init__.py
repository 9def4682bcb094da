"""What people look at: pictures, and pages as plain data."""
