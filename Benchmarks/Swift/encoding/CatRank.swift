// Search results: catrank.capnp says what the messages hold and what their value is.
//
// Safety. Reads integers, of which every bit pattern is one, from a span that checks the offsets, or
// where the loop does.

import CapnProto

struct CatRank: AnsweredWorkload {
  private var numbers = Numbers()
  /// All addresses and snippets, of which these are the places.
  private var bytes: [UInt8] = []
  private var urls: [Range<Int>] = []
  private var snippets: [Range<Int>] = []

  init() {
    let words = [
      "cat", "dog", "and", "quick", "brown", "horse", "over", "river", "yellow", "window", "market",
      "under", "stone", "garden", "paper", "lamp",
    ]
    for _ in 0..<64 {
      let letter = UInt8(ascii: "a") + numbers.below(26, as: UInt8.self)
      let end = [UInt8](repeating: letter, count: numbers.below(16, as: Int.self) + 4)
      urls.append(place("https://example.com/".utf8 + end))
      var snippet = " "
      for _ in 0..<20 + numbers.below(20) {
        snippet += words[numbers.below(16, as: Int.self)] + " "
      }
      snippets.append(place(Array(snippet.utf8)))
    }
  }

  private mutating func place(_ text: [UInt8]) -> Range<Int> {
    bytes += text
    return bytes.count - text.count..<bytes.count
  }

  mutating func fill(_ message: borrowing MessageBuilder) {
    let (bytes, urls, snippets) = (bytes, urls, snippets)
    let results = message.initRoot(as: SearchResultList.Builder.self).initResults(100)
    for index in results.indices {
      let result = results[index]
      let url = urls[numbers.below(64, as: Int.self)]
      result.setUrl(utf8: bytes.span.extracting(url))
      result.score = Double(1 + numbers.below(1000))
      let snippet = snippets[numbers.below(64, as: Int.self)]
      result.setSnippet(utf8: bytes.span.extracting(snippet))
    }
  }

  func value(_ message: borrowing MessageReader) throws -> UInt64 {
    var value: UInt64 = 0
    let results = try message.root(as: SearchResultList.Reader.self).results
    for index in results.indices {
      let result = results[index]
      let url = try result.url.bytes
      let snippet = try result.snippet.bytes
      value &+= UInt64(truncatingIfNeeded: url.count &+ snippet.count &* 3)
      value &+= UInt64(url[url.count &- 1]) &+ UInt64(snippet[snippet.count &- 1])
      value &+= result.score.bitPattern >> 32
    }
    return value
  }

  func answer(
    _ request: borrowing MessageReader, _ response: borrowing MessageBuilder
  ) throws {
    let results = try request.root(as: SearchResultList.Reader.self).results
    var ranked: [(score: Double, index: Int)] = []
    ranked.reserveCapacity(results.count)
    for index in results.indices {
      let result = results[index]
      var score = result.score
      let animals = Animals(try result.snippet.bytes)
      if animals.hasCat { score *= 1000 }
      if animals.hasDog { score /= 1000 }
      ranked.append((score, index))
    }
    ranked.sort { $0.score > $1.score }
    let list = response.initRoot(as: SearchResultList.Builder.self).initResults(ranked.count)
    for index in ranked.indices {
      let result = results[ranked[index].index]
      let copy = list[index]
      copy.setUrl(utf8: try result.url.bytes)
      copy.score = ranked[index].score
      copy.setSnippet(utf8: try result.snippet.bytes)
    }
  }

  func check(_ response: borrowing MessageReader) throws -> UInt64 {
    var good: UInt64 = 0
    let results = try response.root(as: SearchResultList.Reader.self).results
    for index in results.indices where results[index].score > 501 { good += 1 }
    return good &+ (try value(response))
  }
}

/// Which of the two words a snippet has.
private struct Animals {
  private(set) var hasCat = false
  private(set) var hasDog = false

  init(_ text: Span<UInt8>) {
    let text = unsafe text.bytes
    let end = text.byteCount
    let ones: UInt64 = 0x0101_0101_0101_0101
    var index = 0
    // Eight places at a time: a space, and behind it c or d, which are even neighbours with one more.
    while index &+ 9 <= end {
      let first = unsafe text.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
      let second = unsafe text.unsafeLoadUnaligned(
        fromUncheckedByteOffset: index &+ 1, as: UInt64.self)
      let pairs = (second &+ ones) & 0xfefe_fefe_fefe_fefe
      let others = (first ^ 0x2020_2020_2020_2020) | (pairs ^ 0x6464_6464_6464_6464)
      var found = (others &- ones) & ~others & 0x8080_8080_8080_8080
      while found != 0 {
        look(text, index &+ (found.trailingZeroBitCount >> 3))
        if hasCat && hasDog { return }
        found &= found &- 1
      }
      index &+= 8
    }
    for place in index..<end { look(text, place) }
  }

  /// Looks for a word at the place, if it has room there.
  private mutating func look(_ text: RawSpan, _ place: Int) {
    guard place &+ 5 <= text.byteCount else { return }
    let word = unsafe UInt32(
      littleEndian: text.unsafeLoadUnaligned(fromByteOffset: place, as: UInt32.self))
    let isCat = word == 0x7461_6320
    let isDog = word == 0x676f_6420
    guard isCat || isDog,
      unsafe text.unsafeLoadUnaligned(fromByteOffset: place &+ 4, as: UInt8.self)
        == UInt8(ascii: " ")
    else { return }
    hasCat = hasCat || isCat
    hasDog = hasDog || isDog
  }
}
