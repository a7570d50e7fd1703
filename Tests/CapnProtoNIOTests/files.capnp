@0xd1f80b6c2a9e5347;

interface Folder {
  # Gives files, each with a descriptor of it.

  open @0 (text :Text) -> (file :File);
  later @1 (text :Text) -> (file :File);
  # A promise, which is the file soon after.
  sum @2 (files :List(File), padding :Data) -> (texts :List(Text));
  # What the descriptors of the files give to read.
}

interface File {
  read @0 () -> (text :Text);
}
