import CapnProto

extension SchemaValue {
  /// Whether programs that know the type as it is in this value's schema read the other value as
  /// this one.
  ///
  /// The other value may be encoded otherwise, and say more: of a newer version of the type, whose
  /// structs have more fields, or whose lists have structs for elements.
  func isRead(of other: SchemaValue, as type: SchemaType, in schema: Schema) -> Bool {
    if self == other { return true }
    guard type.isPointer, let text = text(as: type, in: schema),
      let otherText = other.text(as: type, in: schema)
    else { return false }
    return text == otherText
  }

  /// The value as it reads as the type; nil where it cannot be read, or not be told from others.
  private func text(as type: SchemaType, in schema: Schema) -> [UInt8]? {
    do {
      let holder = try target ?? PointerHolder.null()
      let value = try DynamicValue.Reader(
        holder.reader.pointer, as: SchemaBrand.unbound.resolve(type), schema)
      let text = try TextCodec(isPretty: false).encode(value)
      // What an AnyPointer leads to is not printed.
      return String(decoding: text, as: UTF8.self).contains("<opaque pointer>") ? nil : text
    } catch {
      return nil
    }
  }
}
