@0xd4c9b1f5a2e87313;
# Names, deprecation and plain values by annotation.

using Swift = import "/capnp/swift.capnp";
using Shapes = import "shapes.capnp";

struct HTTPRequest $Swift.name("WebRequest") $Swift.value {
  uRL @0 :Text = "/" $Swift.name("url");
  method @1 :Method = post;
  headers @2 :List(Header);
  body @3 :Data = 0x"00 01";
  oldBody @4 :Text $Swift.deprecated("Use body.");
  parent @5 :HTTPRequest;
  weights @6 :List(List(Float32));
  tags @7 :List(Text) = ["a", "b"];
  flag @8 :Bool = true;
  void @9 :Void;
  hash @10 :UInt8;
  write @11 :UInt8;
  origin :group $Swift.name("source") { host @12 :Text = "localhost"; port @13 :UInt16 = 80; }
  auth :union {
    none @14 :Void;
    password @15 :Text;
    token @16 :Data;
    as @17 :HTTPRequest;
    chain @18 :List(HTTPRequest);
    kerberos :group { realm @19 :Text; ticket @20 :Data; }
    old @24 :Text $Swift.deprecated("Insecure.");
  }
  union {
    plain @21 :UInt32 = 7;
    secure @22 :Header;
  }
  reader @23 :Text;

  enum Method { get @0; post @1; delete @2 $Swift.name("remove"); }
  struct Header { name @0 :Text; value @1 :Text; }
  struct Value { x @0 :UInt8; }
}

struct NotAValue { any @0 :AnyPointer; }

const oldLimit :UInt8 = 3 $Swift.deprecated("There is no limit.");
const theRequest :HTTPRequest = (uRL = "/index", auth = (password = "x"));
