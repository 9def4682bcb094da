"""misread: which images does a classifier misread?"""
