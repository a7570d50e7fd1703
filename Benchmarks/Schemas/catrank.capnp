@0xb0a0f1c6ae8f2d31;
# Search results with long snippets, in the manner of the workload by which Cap'n Proto has long been
# measured: texts outweigh all else. A client sends results, a server ranks those up that speak of
# cats and those down that speak of dogs, and sends them back in the order of their scores.
#
# The generator is that of carsales.capnp. At the start of a process 64 addresses and snippets are
# drawn in turn. An address is "https://example.com/" and the letter a + below(26), below(16) + 4 times.
# A snippet has 20 + below(20) words, begins with a space, and each word ends with one. A word is one
# of these, by below(16):
#
#     cat dog and quick brown horse over river yellow window market under stone garden paper lamp
#
# A message has 100 results. The fields of each are drawn in the order of their ordinals. The value of
# a list is the sum over its results, in 64-bit integers that wrap around, of
#
#     bytes in url + bytes in snippet * 3 + the last byte of each of the two + pattern(score)
#
# where pattern is the number that the bits of the float are, shifted right by 32 bits.
#
# For a round trip, the message is made into bytes and read; a score is multiplied by 1000 where the
# snippet holds " cat ", and divided by 1000 where it holds " dog " ; a message of the results by
# falling score, of equal ones in the order in which they came, is made, made into bytes and read. The
# checksum counts the scores above 501, and adds the value of the message.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("bench");

struct SearchResultList {
  results @0 :List(SearchResult);
}

struct SearchResult {
  url @0 :Text;        # the address below(64)
  score @1 :Float64;   # 1 + below(1000)
  snippet @2 :Text;    # the snippet below(64)
}
