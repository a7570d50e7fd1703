/// The fields of a struct or elements of a list that were printed, as one line.
///
/// A list may have millions of elements of a few bytes each: kept as one text, they take little more
/// memory than they are long.
struct PrintedItems {
  /// The line, with its opening bracket, and ", " behind each item.
  private var line: [UInt8]
  /// The lengths of the items; 255 for those in `longLengths`.
  private var lengths: [UInt8] = []
  private var longLengths: [Int] = []
  /// Bytes of all items, without what separates them.
  private(set) var bytes = 0
  /// Whether all items are short enough to share a line.
  private var areShort = true

  init(open: Unicode.Scalar) { line = [UInt8(ascii: open)] }

  mutating func append(_ item: [UInt8]) {
    line += item
    line += [UInt8(ascii: ","), UInt8(ascii: " ")]
    if item.count < 255 {
      lengths.append(UInt8(item.count))
    } else {
      lengths.append(255)
      longLengths.append(item.count)
    }
    bytes += item.count
    if item.count > 24 || item.contains(UInt8(ascii: "\n")) { areShort = false }
  }

  /// The items on one line if each is short, and all of them have no more than so many bytes; else
  /// each on its own.
  consuming func joined(
    close: Unicode.Scalar, indent: Int, mode: TextPrinter.Mode, mostBytes: Int
  ) -> [UInt8] {
    if indent == 0 || areShort && bytes <= mostBytes {
      if !lengths.isEmpty { line.removeLast(2) }
      line.append(UInt8(ascii: close))
      return line
    }
    let separator = Array(("\n" + String(repeating: "  ", count: indent)).utf8)
    var text = [line[0]]
    text.reserveCapacity(line.count + lengths.count * separator.count)
    text += mode == .bare ? [UInt8(ascii: " ")] : separator
    var start = 1
    var long = longLengths.makeIterator()
    for (index, length) in lengths.enumerated() {
      let count = length < 255 ? Int(length) : long.next() ?? 0
      if index > 0 { text += [UInt8(ascii: ",")] + separator }
      text += line[start..<start + count]
      start += count + 2
    }
    text += [UInt8(ascii: " "), UInt8(ascii: close)]
    return text
  }
}
