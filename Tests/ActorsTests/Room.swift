// Tests of Actors.
