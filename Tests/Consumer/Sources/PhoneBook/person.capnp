@0xe5c1b0a4f7d93a11;

struct Person {
  name @0 :Text;
  phones @1 :List(Text);
}
