// Tests of Sources.
