"""Statistics: pure functions on arrays, without files, clock, global random state or plots."""
