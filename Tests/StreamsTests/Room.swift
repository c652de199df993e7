// Tests of Streams.
