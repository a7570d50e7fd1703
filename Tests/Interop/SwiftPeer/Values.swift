import CapnProto

/// Fills every field with something that is no default.
func fillSample(_ values: Values.Builder) {
  values.bool = true
  values.int8 = -128
  values.int16 = -12345
  values.int32 = .min
  values.int64 = -1_234_567_890_123_456_789
  values.uint8 = 200
  values.uint16 = 54321
  values.uint32 = 4_000_000_000
  values.uint64 = .max - 5
  values.float32 = -1.25
  values.float64 = 6.02214076e23
  values.colour = .blue
  values.text = "stressed"
  values.data = [0, 1, 2, 253, 254, 255, 0]
  let point = values.initPoint()
  point.x = 3
  point.y = -4
  fill(
    values.initBools(10), [true, false, false, true, true, true, false, false, true, false])
  fill(values.initInt32s(4), [1, -2, 3, .max])
  fill(values.initFloat64s(3), [0.5, -0.25, .infinity])
  let texts = values.initTexts(3)
  for (index, text) in ["alpha", "", "omega"].enumerated() { texts[index] = text }
  let points = values.initPoints(3)
  for index in points.indices {
    points[index].x = Int32(index)
    points[index].y = 100 + Int32(index)
  }
  let matrix = values.initMatrix(2)
  fill(matrix.initList(0, count: 3), [1, 2, 3])
  fill(matrix.initList(1, count: 1), [40000])
  values.choice.word = "live"
  values.limit = 7
}

private func fill<Element: PrimitiveElement>(
  _ list: ListBuilder<Element>, _ elements: [Element]
) {
  for (index, element) in elements.enumerated() { list[index] = element }
}

/// Builds the mirror image, as `Peer.mirror` describes it.
func writeMirror(of from: Values.Reader, to: Values.Builder) throws {
  to.bool = !from.bool
  to.int8 = ~from.int8
  to.int16 = ~from.int16
  to.int32 = ~from.int32
  to.int64 = ~from.int64
  to.uint8 = ~from.uint8
  to.uint16 = ~from.uint16
  to.uint32 = ~from.uint32
  to.uint64 = ~from.uint64
  to.float32 = -from.float32
  to.float64 = -from.float64
  to.colour =
    switch from.colour {
    case .red: .blue
    case .blue: .red
    case let other: other
    }
  to.text = try String(from.text.string.reversed())
  to.data = try from.data.array.reversed()
  if from.hasPoint { try writeMirror(of: from.point, to: to.initPoint()) }
  let bools = try from.bools.array
  fill(to.initBools(bools.count), bools.reversed().map { !$0 })
  let int32s = try from.int32s.array
  fill(to.initInt32s(int32s.count), int32s.reversed().map { ~$0 })
  let float64s = try from.float64s.array
  fill(to.initFloat64s(float64s.count), float64s.reversed().map { -$0 })
  let texts = try from.texts.map { String($0.string.reversed()) }
  let toTexts = to.initTexts(texts.count)
  for (index, text) in texts.reversed().enumerated() { toTexts[index] = text }
  let points = try from.points
  let toPoints = to.initPoints(points.count)
  for index in points.indices {
    writeMirror(of: points[index], to: toPoints[points.count - 1 - index])
  }
  let matrix = try from.matrix.map { $0.array }
  let toMatrix = to.initMatrix(matrix.count)
  for (index, row) in matrix.reversed().enumerated() {
    fill(toMatrix.initList(index, count: row.count), row.reversed().map { ~$0 })
  }
  switch try from.choice.which {
  case .nothing, .unknown: to.choice.setNothing()
  case .number(let number): to.choice.number = ~number
  case .word(let word): to.choice.word = String(word.string.reversed())
  case .place(let place): writeMirror(of: place, to: to.choice.initPlace())
  }
  to.limit = ~from.limit
}

private func writeMirror(of from: Point.Reader, to: Point.Builder) {
  to.x = from.y
  to.y = from.x
}

/// All fields as lines of text, to be compared.
func lines(_ values: Values.Reader) throws -> [String] {
  func words(_ point: Point.Reader) -> String { "(\(point.x), \(point.y))" }
  var lines = [
    "bool \(values.bool)", "int8 \(values.int8)", "int16 \(values.int16)",
    "int32 \(values.int32)", "int64 \(values.int64)", "uint8 \(values.uint8)",
    "uint16 \(values.uint16)", "uint32 \(values.uint32)", "uint64 \(values.uint64)",
    "float32 \(values.float32)", "float64 \(values.float64)",
    "colour \(values.colour.rawValue)",
  ]
  lines.append("text \(try values.text.string)")
  lines.append("data \(try values.data.array)")
  lines.append(values.hasPoint ? "point \(words(try values.point))" : "no point")
  lines.append("bools \(try values.bools.array)")
  lines.append("int32s \(try values.int32s.array)")
  lines.append("float64s \(try values.float64s.array)")
  lines.append("texts \(try values.texts.map { $0.string })")
  lines.append("points \(try values.points.map { words($0) })")
  lines.append("matrix \(try values.matrix.map { $0.array })")
  switch try values.choice.which {
  case .nothing: lines.append("nothing")
  case .number(let number): lines.append("number \(number)")
  case .word(let word): lines.append("word \(word.string)")
  case .place(let place): lines.append("place \(words(place))")
  case .unknown(let number): lines.append("unknown choice \(number)")
  }
  lines.append("limit \(values.limit)")
  return lines
}
