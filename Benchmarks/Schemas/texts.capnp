@0xd55a3c5b27b7e0f9;
# Texts that become strings of the language, and strings that become texts: 100 of 60 bytes of ASCII.
# Text n is the letters from a to z over and over, beginning with the letter n % 26. The checksum is
# the sum of their lengths.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("bench");

struct Texts {
  texts @0 :List(Text);
}
