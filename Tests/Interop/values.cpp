#include "values.h"

#include <limits>

using namespace interop;

void fillSample(Values::Builder values) {
  values.setBool(true);
  values.setInt8(-128);
  values.setInt16(-12345);
  values.setInt32(std::numeric_limits<int32_t>::min());
  values.setInt64(-1234567890123456789);
  values.setUint8(200);
  values.setUint16(54321);
  values.setUint32(4000000000u);
  values.setUint64(std::numeric_limits<uint64_t>::max() - 5);
  values.setFloat32(-1.25f);
  values.setFloat64(6.02214076e23);
  values.setColour(Colour::BLUE);
  values.setText("stressed");
  const kj::byte bytes[] = {0, 1, 2, 253, 254, 255, 0};
  values.setData(kj::arrayPtr(bytes, sizeof(bytes)));
  auto point = values.initPoint();
  point.setX(3);
  point.setY(-4);
  values.setBools({true, false, false, true, true, true, false, false, true, false});
  values.setInt32s({1, -2, 3, std::numeric_limits<int32_t>::max()});
  values.setFloat64s({0.5, -0.25, std::numeric_limits<double>::infinity()});
  values.setTexts({"alpha", "", "omega"});
  auto points = values.initPoints(3);
  for (uint32_t i = 0; i < points.size(); i++) {
    points[i].setX(i);
    points[i].setY(100 + i);
  }
  auto matrix = values.initMatrix(2);
  matrix.set(0, {1, 2, 3});
  matrix.set(1, {40000});
  values.getChoice().setWord("live");
  values.setLimit(7);
}

static kj::String reversed(capnp::Text::Reader text) {
  auto result = kj::heapString(text.size());
  for (size_t i = 0; i < text.size(); i++) result[text.size() - 1 - i] = text[i];
  return result;
}

static void mirror(Point::Reader from, Point::Builder to) {
  to.setX(from.getY());
  to.setY(from.getX());
}

void mirror(Values::Reader from, Values::Builder to) {
  to.setBool(!from.getBool());
  to.setInt8(~from.getInt8());
  to.setInt16(~from.getInt16());
  to.setInt32(~from.getInt32());
  to.setInt64(~from.getInt64());
  to.setUint8(~from.getUint8());
  to.setUint16(~from.getUint16());
  to.setUint32(~from.getUint32());
  to.setUint64(~from.getUint64());
  to.setFloat32(-from.getFloat32());
  to.setFloat64(-from.getFloat64());
  switch (from.getColour()) {
    case Colour::RED: to.setColour(Colour::BLUE); break;
    case Colour::BLUE: to.setColour(Colour::RED); break;
    default: to.setColour(from.getColour()); break;
  }
  to.setText(reversed(from.getText()));
  auto data = kj::heapArray(from.getData());
  for (size_t i = 0; i < data.size(); i++) data[i] = from.getData()[data.size() - 1 - i];
  to.setData(data);
  if (from.hasPoint()) mirror(from.getPoint(), to.initPoint());

  auto bools = from.getBools();
  auto toBools = to.initBools(bools.size());
  for (uint32_t i = 0; i < bools.size(); i++) toBools.set(bools.size() - 1 - i, !bools[i]);
  auto int32s = from.getInt32s();
  auto toInt32s = to.initInt32s(int32s.size());
  for (uint32_t i = 0; i < int32s.size(); i++) toInt32s.set(int32s.size() - 1 - i, ~int32s[i]);
  auto doubles = from.getFloat64s();
  auto toDoubles = to.initFloat64s(doubles.size());
  for (uint32_t i = 0; i < doubles.size(); i++) toDoubles.set(doubles.size() - 1 - i, -doubles[i]);
  auto texts = from.getTexts();
  auto toTexts = to.initTexts(texts.size());
  for (uint32_t i = 0; i < texts.size(); i++) toTexts.set(texts.size() - 1 - i, reversed(texts[i]));
  auto points = from.getPoints();
  auto toPoints = to.initPoints(points.size());
  for (uint32_t i = 0; i < points.size(); i++) mirror(points[i], toPoints[points.size() - 1 - i]);
  auto matrix = from.getMatrix();
  auto toMatrix = to.initMatrix(matrix.size());
  for (uint32_t i = 0; i < matrix.size(); i++) {
    auto row = matrix[i];
    auto toRow = toMatrix.init(matrix.size() - 1 - i, row.size());
    for (uint32_t j = 0; j < row.size(); j++) toRow.set(row.size() - 1 - j, ~row[j]);
  }

  auto choice = from.getChoice();
  switch (choice.which()) {
    case Values::Choice::NOTHING: to.getChoice().setNothing(); break;
    case Values::Choice::NUMBER: to.getChoice().setNumber(~choice.getNumber()); break;
    case Values::Choice::WORD: to.getChoice().setWord(reversed(choice.getWord())); break;
    case Values::Choice::PLACE: mirror(choice.getPlace(), to.getChoice().initPlace()); break;
  }
  to.setLimit(~from.getLimit());
}

kj::Maybe<kj::String> difference(Values::Reader expected, Values::Reader actual) {
  auto left = kj::str(expected), right = kj::str(actual);
  if (left == right) return nullptr;
  return kj::str("expected ", left, " got ", right);
}
