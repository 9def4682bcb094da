"""The local web page: a server on this machine that shows a study. `README.md` has its API."""
