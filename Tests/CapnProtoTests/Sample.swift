import CapnProto

/// The schema that ``Sample`` is written by hand for, in the shape of generated code.
let sampleSchema = """
  @0xd8a1f2b3c4d5e6f7;
  enum Color { red @0; green @1; blue @2; }
  struct Sample {
    a @0 :UInt64; b @1 :Int64; c @2 :UInt32; d @3 :Float32; e @4 :Int16; f @5 :UInt16;
    g @6 :UInt8; h @7 :Int8; flag @8 :Bool; other @9 :Bool = true; x @10 :Float64;
    color @11 :Color; seven @12 :UInt32 = 7;
    text @13 :Text; data @14 :Data; child @15 :Sample; numbers @16 :List(UInt16);
    bools @17 :List(Bool); texts @18 :List(Text); children @19 :List(Sample);
    nested @20 :List(List(UInt8)); voids @21 :List(Void); any @22 :AnyPointer;
    colors @23 :List(Color);
  }
  """

enum Color: SchemaEnum {
  case red, green, blue
  case unknown(UInt16)

  init(rawValue: UInt16) {
    switch rawValue {
    case 0: self = .red
    case 1: self = .green
    case 2: self = .blue
    default: self = .unknown(rawValue)
    }
  }

  var rawValue: UInt16 {
    switch self {
    case .red: 0
    case .green: 1
    case .blue: 2
    case .unknown(let value): value
    }
  }
}

enum Sample {
  struct Reader: TypedStructReader, ~Escapable {
    static var _layout: StructLayout { StructLayout(dataWords: 6, pointers: 11) }
    let _raw: StructReader
    @_lifetime(copy raw) init(_raw raw: StructReader) { _raw = raw }

    var a: UInt64 { _raw.read(0) }
    var b: Int64 { _raw.read(1) }
    var c: UInt32 { _raw.read(4) }
    var d: Float { _raw.read(5) }
    var e: Int16 { _raw.read(12) }
    var f: UInt16 { _raw.read(13) }
    var g: UInt8 { _raw.read(28) }
    var h: Int8 { _raw.read(29) }
    var flag: Bool { _raw.readBool(240) }
    var other: Bool { _raw.readBool(241, default: true) }
    var x: Double { _raw.read(4) }
    var color: Color { _raw.readEnum(20) }
    var seven: UInt32 { _raw.read(11, default: 7) }
    var text: TextReader {
      @_lifetime(copy self) get throws(DecodingError) { try _raw.pointer(0).text() }
    }
    var data: DataReader {
      @_lifetime(copy self) get throws(DecodingError) { try _raw.pointer(1).data() }
    }
    var child: Sample.Reader {
      @_lifetime(copy self) get throws(DecodingError) { try _raw.pointer(2).structure() }
    }
    var numbers: ListReader<UInt16> {
      @_lifetime(copy self) get throws(DecodingError) { try _raw.pointer(3).list() }
    }
    var bools: ListReader<Bool> {
      @_lifetime(copy self) get throws(DecodingError) { try _raw.pointer(4).list() }
    }
    var texts: ListReader<TextReader> {
      @_lifetime(copy self) get throws(DecodingError) { try _raw.pointer(5).list() }
    }
    var children: ListReader<Sample.Reader> {
      @_lifetime(copy self) get throws(DecodingError) { try _raw.pointer(6).list() }
    }
    var nested: ListReader<ListReader<UInt8>> {
      @_lifetime(copy self) get throws(DecodingError) { try _raw.pointer(7).list() }
    }
    var voids: ListReader<VoidValue> {
      @_lifetime(copy self) get throws(DecodingError) { try _raw.pointer(8).list() }
    }
    var any: AnyPointerReader { @_lifetime(copy self) get { _raw.pointer(9) } }
    var colors: ListReader<Color> {
      @_lifetime(copy self) get throws(DecodingError) { try _raw.pointer(10).list() }
    }
  }

  struct Builder: TypedStructBuilder, ~Escapable {
    typealias Reader = Sample.Reader
    let _raw: StructBuilder
    @_lifetime(copy raw) init(_raw raw: StructBuilder) { _raw = raw }

    var reader: Reader { @_lifetime(copy self) get { Reader(_raw: _raw.reader) } }
    var a: UInt64 {
      get { _raw.read(0) }
      nonmutating set { _raw.write(0, newValue) }
    }
    var b: Int64 {
      get { _raw.read(1) }
      nonmutating set { _raw.write(1, newValue) }
    }
    var c: UInt32 {
      get { _raw.read(4) }
      nonmutating set { _raw.write(4, newValue) }
    }
    var d: Float {
      get { _raw.read(5) }
      nonmutating set { _raw.write(5, newValue) }
    }
    var e: Int16 {
      get { _raw.read(12) }
      nonmutating set { _raw.write(12, newValue) }
    }
    var f: UInt16 {
      get { _raw.read(13) }
      nonmutating set { _raw.write(13, newValue) }
    }
    var g: UInt8 {
      get { _raw.read(28) }
      nonmutating set { _raw.write(28, newValue) }
    }
    var h: Int8 {
      get { _raw.read(29) }
      nonmutating set { _raw.write(29, newValue) }
    }
    var flag: Bool {
      get { _raw.readBool(240) }
      nonmutating set { _raw.writeBool(240, newValue) }
    }
    var other: Bool {
      get { _raw.readBool(241, default: true) }
      nonmutating set { _raw.writeBool(241, newValue, default: true) }
    }
    var x: Double {
      get { _raw.read(4) }
      nonmutating set { _raw.write(4, newValue) }
    }
    var color: Color {
      get { _raw.readEnum(20) }
      nonmutating set { _raw.writeEnum(20, newValue) }
    }
    var seven: UInt32 {
      get { _raw.read(11, default: 7) }
      nonmutating set { _raw.write(11, newValue, default: 7) }
    }
    var text: String {
      get { _raw.pointer(0).string }
      nonmutating set { _raw.pointer(0).setText(newValue) }
    }
    var data: [UInt8] {
      get { _raw.pointer(1).array }
      nonmutating set { _raw.pointer(1).setData(newValue) }
    }
    var child: Sample.Builder { @_lifetime(copy self) get { _raw.pointer(2).structure() } }
    @_lifetime(copy self) func initChild() -> Sample.Builder { _raw.pointer(2).initStructure() }
    var numbers: ListBuilder<UInt16> { @_lifetime(copy self) get { _raw.pointer(3).list() } }
    @_lifetime(copy self) func initNumbers(_ count: Int) -> ListBuilder<UInt16> {
      _raw.pointer(3).initList(count: count)
    }
    var bools: ListBuilder<Bool> { @_lifetime(copy self) get { _raw.pointer(4).list() } }
    @_lifetime(copy self) func initBools(_ count: Int) -> ListBuilder<Bool> {
      _raw.pointer(4).initList(count: count)
    }
    var texts: ListBuilder<TextType> { @_lifetime(copy self) get { _raw.pointer(5).list() } }
    @_lifetime(copy self) func initTexts(_ count: Int) -> ListBuilder<TextType> {
      _raw.pointer(5).initList(count: count)
    }
    var children: ListBuilder<Sample.Builder> {
      @_lifetime(copy self) get { _raw.pointer(6).list() }
    }
    @_lifetime(copy self) func initChildren(_ count: Int) -> ListBuilder<Sample.Builder> {
      _raw.pointer(6).initList(count: count)
    }
    var nested: ListBuilder<ListBuilder<UInt8>> {
      @_lifetime(copy self) get { _raw.pointer(7).list() }
    }
    @_lifetime(copy self) func initNested(_ count: Int) -> ListBuilder<ListBuilder<UInt8>> {
      _raw.pointer(7).initList(count: count)
    }
    @_lifetime(copy self) func initVoids(_ count: Int) -> ListBuilder<VoidValue> {
      _raw.pointer(8).initList(count: count)
    }
    var any: AnyPointerBuilder { @_lifetime(copy self) get { _raw.pointer(9) } }
    @_lifetime(copy self) func initColors(_ count: Int) -> ListBuilder<Color> {
      _raw.pointer(10).initList(count: count)
    }
  }
}

/// A struct of a schema older than another: any layout, read and built by place.
enum Small {
  struct Reader: TypedStructReader, ~Escapable {
    static var _layout: StructLayout { StructLayout(dataWords: 1, pointers: 1) }
    let _raw: StructReader
    @_lifetime(copy raw) init(_raw raw: StructReader) { _raw = raw }
    var number: UInt32 { _raw.read(0) }
    var text: TextReader {
      @_lifetime(copy self) get throws(DecodingError) { try _raw.pointer(0).text() }
    }
  }
  struct Builder: TypedStructBuilder, ~Escapable {
    typealias Reader = Small.Reader
    let _raw: StructBuilder
    @_lifetime(copy raw) init(_raw raw: StructBuilder) { _raw = raw }
    var number: UInt32 {
      get { _raw.read(0) }
      nonmutating set { _raw.write(0, newValue) }
    }
    var text: String {
      get { _raw.pointer(0).string }
      nonmutating set { _raw.pointer(0).setText(newValue) }
    }
  }
}

/// The newer version of ``Small``.
enum Large {
  struct Reader: TypedStructReader, ~Escapable {
    static var _layout: StructLayout { StructLayout(dataWords: 2, pointers: 2) }
    let _raw: StructReader
    @_lifetime(copy raw) init(_raw raw: StructReader) { _raw = raw }
    var number: UInt32 { _raw.read(0) }
    var added: UInt64 { _raw.read(1) }
    var text: TextReader {
      @_lifetime(copy self) get throws(DecodingError) { try _raw.pointer(0).text() }
    }
  }
  struct Builder: TypedStructBuilder, ~Escapable {
    typealias Reader = Large.Reader
    let _raw: StructBuilder
    @_lifetime(copy raw) init(_raw raw: StructBuilder) { _raw = raw }
    var reader: Reader { @_lifetime(copy self) get { Reader(_raw: _raw.reader) } }
    var number: UInt32 {
      get { _raw.read(0) }
      nonmutating set { _raw.write(0, newValue) }
    }
    var added: UInt64 {
      get { _raw.read(1) }
      nonmutating set { _raw.write(1, newValue) }
    }
    var text: String {
      get { _raw.pointer(0).string }
      nonmutating set { _raw.pointer(0).setText(newValue) }
    }
    var addedText: String {
      get { _raw.pointer(1).string }
      nonmutating set { _raw.pointer(1).setText(newValue) }
    }
  }
}

/// A struct without fields.
enum Empty {
  struct Reader: TypedStructReader, ~Escapable {
    static var _layout: StructLayout { StructLayout(dataWords: 0, pointers: 0) }
    let _raw: StructReader
    @_lifetime(copy raw) init(_raw raw: StructReader) { _raw = raw }
  }
  struct Builder: TypedStructBuilder, ~Escapable {
    typealias Reader = Empty.Reader
    let _raw: StructBuilder
    @_lifetime(copy raw) init(_raw raw: StructBuilder) { _raw = raw }
  }
}
