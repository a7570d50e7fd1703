@0xe5c1b0a4f7d93a13;
# Found through a folder that the target's settings name.

const people :UInt32 = 100;
