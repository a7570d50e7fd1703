// Expressions: eval.capnp says what the messages hold.

#pragma once

#include <capnp/message.h>

#include "eval.capnp.h"
#include "numbers.h"

namespace bench {

inline int32_t apply(Operation operation, int32_t left, int32_t right) {
  uint32_t a = left, b = right;
  switch (operation) {
    case Operation::ADD: return a + b;
    case Operation::SUBTRACT: return a - b;
    case Operation::MULTIPLY: return a * b;
    case Operation::DIVIDE: return right == 0 ? INT32_MAX : right == -1 ? 0 - a : left / right;
    case Operation::MODULUS: return right == 0 ? INT32_MAX : right == -1 ? 0 : left % right;
  }
  return 0;
}

inline int32_t evaluate(Expression::Reader expression) {
  auto left = expression.getLeft();
  auto right = expression.getRight();
  int32_t a = left.isValue() ? left.getValue() : evaluate(left.getExpression());
  int32_t b = right.isValue() ? right.getValue() : evaluate(right.getExpression());
  return apply(expression.getOperation(), a, b);
}

inline void fill(Expression::Builder expression, uint32_t depth, Numbers& numbers) {
  expression.setOperation(static_cast<Operation>(numbers.below(5)));
  auto left = expression.getLeft();
  if (numbers.below(8) < depth) {
    left.setValue(numbers.below(128) + 1);
  } else {
    fill(left.initExpression(), depth + 1, numbers);
  }
  auto right = expression.getRight();
  if (numbers.below(8) < depth) {
    right.setValue(numbers.below(128) + 1);
  } else {
    fill(right.initExpression(), depth + 1, numbers);
  }
}

struct Eval {
  Numbers numbers;

  void fill(capnp::MessageBuilder& message) {
    bench::fill(message.initRoot<Expression>(), 0, numbers);
  }
  static uint64_t value(capnp::MessageReader& message) {
    return static_cast<uint32_t>(evaluate(message.getRoot<Expression>()));
  }
  static void answer(capnp::MessageReader& request, capnp::MessageBuilder& response) {
    response.initRoot<Evaluation>().setValue(evaluate(request.getRoot<Expression>()));
  }
  static uint64_t check(capnp::MessageReader& response) {
    return static_cast<uint32_t>(response.getRoot<Evaluation>().getValue());
  }
};

}  // namespace bench
