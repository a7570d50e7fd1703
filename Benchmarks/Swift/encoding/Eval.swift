// Expressions: eval.capnp says what the messages hold.

import CapnProto

struct Eval: AnsweredWorkload {
  private var numbers = Numbers()

  mutating func fill(_ message: borrowing MessageBuilder) {
    fill(message.initRoot(as: Expression.Builder.self), depth: 0)
  }

  private mutating func fill(_ expression: Expression.Builder, depth: UInt64) {
    expression.operation = Operation(rawValue: numbers.below(5, as: UInt16.self))
    let left = expression.left
    if numbers.below(8) < depth {
      left.value = numbers.below(128, as: Int32.self) + 1
    } else {
      fill(left.initExpression(), depth: depth + 1)
    }
    let right = expression.right
    if numbers.below(8) < depth {
      right.value = numbers.below(128, as: Int32.self) + 1
    } else {
      fill(right.initExpression(), depth: depth + 1)
    }
  }

  func value(_ message: borrowing MessageReader) throws -> UInt64 {
    UInt64(UInt32(bitPattern: try message.root(as: Expression.Reader.self).evaluated))
  }

  func answer(
    _ request: borrowing MessageReader, _ response: borrowing MessageBuilder
  ) throws {
    let value = try request.root(as: Expression.Reader.self).evaluated
    response.initRoot(as: Evaluation.Builder.self).value = value
  }

  func check(_ response: borrowing MessageReader) throws -> UInt64 {
    UInt64(UInt32(bitPattern: try response.root(as: Evaluation.Reader.self).value))
  }
}

extension Expression.Reader {
  fileprivate var evaluated: Int32 {
    get throws(DecodingError) {
      let a: Int32 =
        switch try left.which {
        case .value(let value): value
        case .expression(let inner): try inner.evaluated
        case .unknown: 0
        }
      let b: Int32 =
        switch try right.which {
        case .value(let value): value
        case .expression(let inner): try inner.evaluated
        case .unknown: 0
        }
      return operation.apply(a, b)
    }
  }
}

extension Operation {
  @inline(__always) fileprivate func apply(_ left: Int32, _ right: Int32) -> Int32 {
    switch self {
    case .add: left &+ right
    case .subtract: left &- right
    case .multiply: left &* right
    case .divide: right == 0 ? .max : right == -1 ? 0 &- left : left / right
    case .modulus: right == 0 ? .max : right == -1 ? 0 : left % right
    case .unknown: 0
    }
  }
}
