"""Tests mirror the house: a file for each thing under test, names are sentences."""
