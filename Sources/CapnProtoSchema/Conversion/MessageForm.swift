/// A form that messages are written in.
public enum MessageForm: String, CaseIterable, Sendable {
  /// Frames of segments, one after another.
  case binary
  /// Frames of segments, packed.
  case packed
  /// The one segment of one message, without a frame.
  case flat
  /// The one segment of one message, without a frame, packed.
  case flatPacked = "flat-packed"
  /// The one segment of one message in canonical form.
  case canonical
  /// Struct literals of the schema language.
  case text
  /// JSON objects.
  case json

  /// Whether a schema is needed to read or write the form.
  public var needsSchema: Bool { self == .text || self == .json }
}
