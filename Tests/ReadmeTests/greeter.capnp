@0xd1f0a3c6b5e49287;

interface Greeter {
  greet @0 (name :Text) -> (card :Card);
}

interface Card {
  read @0 () -> (text :Text);
}
