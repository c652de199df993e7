"""The parts of promql_differential.py."""
