import CapnProto
import Testing

/// A message that is being built keeps the capabilities that it refers to, and no other.
@Suite struct CapabilityLifeTests {
  /// Whether an object is there.
  private struct Watch {
    weak var hook: Hook?
    var isGone: Bool { hook == nil }
  }

  private static func set(_ pointer: AnyPointerBuilder) -> Watch {
    let hook = Hook("watched")
    pointer.setCapability(hook)
    return Watch(hook: hook)
  }

  private static func setUnderText(_ pointer: AnyPointerBuilder) -> Watch {
    let watch = set(pointer)
    pointer.setText("text")
    return watch
  }

  private typealias Overwriting =
    @Sendable (borrowing MessageBuilder, Sample.Builder) throws -> Void
  private static let overwriting: [Overwriting] = [
    { $1.any.setCapability(nil) }, { $1.any.setCapability(Hook("other")) }, { $1.any.clear() },
    { PointerField<AnyPointerBuilder>($1._raw, 9).clear() },
    { _ = $1.any.initStructure(as: Small.Builder.self) },
    { _ = $1.any.initList(of: UInt8.self, count: 0) },
    { _ = $1.any.disown(as: AnyPointerBuilder.self) },
    { $1.any.adopt($0.orphanage.newData(count: 3)) },
    { try $1.any.set($1._raw.pointer(0).reader) },
    { message, _ in message.root.clear() },
    { message, _ in _ = message.initRoot(as: Sample.Builder.self) },
    { message, _ in _ = message.root.disown(as: Sample.Builder.self) },
    { message, _ in
      let empty = MessageBuilder()
      try message.root.set(empty.root.reader)
    },
  ]

  @Test(arguments: overwriting.indices) func overwrittenIsLetGo(index: Int) throws {
    let message = MessageBuilder()
    let sample = message.initRoot(as: Sample.Builder.self)
    let watch = Self.set(sample.any)
    #expect(!watch.isGone)
    try Self.overwriting[index](message, sample)
    #expect(watch.isGone)
  }

  @Test func whatIsCutOffAListIsLetGo() {
    let message = MessageBuilder()
    var list = message.orphanage.newList(of: AnyPointerBuilder.self, count: 2)
    let kept = Self.set(list.builder[0])
    let cut = Self.set(list.builder[1])
    list.truncate(to: 1)
    #expect(!kept.isGone && cut.isGone)
  }

  // Setting a text promises the compiler to release nothing, so that it need not retain the string.
  @Test func capabilityUnderATextIsLetGoWithWhatComesNext() throws {
    let next: [(AnyPointerBuilder) -> Void] = [
      { $0.setCapability(Hook("other")) }, { $0.clear() },
      { _ = $0.initList(of: UInt8.self, count: 1) },
    ]
    for next in next {
      let message = MessageBuilder()
      let watch = Self.setUnderText(message.root)
      #expect(message.capabilities.allSatisfy { $0 == nil })
      next(message.root)
      #expect(watch.isGone)
    }
    var message = MessageBuilder()
    let first = Self.setUnderText(message.root)
    message.clear()
    #expect(first.isGone)
    let second = Self.setUnderText(message.root)
    let reader = message.freeze()
    #expect(second.isGone)
    let text = try reader.root.text().string
    #expect(text == "text")
  }

  @Test func capabilityMayBuildInTheMessageThatLetsItGo() {
    final class Owner { let message = MessageBuilder() }
    final class Rebuilding: CapabilityHook {
      nonisolated(unsafe) weak var owner: Owner?
      init(_ owner: Owner) { unsafe self.owner = owner }
      deinit {
        guard let owner = unsafe owner else { return }
        owner.message.withRoot(Sample.Builder.self) {
          $0.child.any.setCapability(Hook("from deinit"))
        }
      }
    }
    let owner = Owner()
    owner.message.build(Sample.Builder.self) { $0.any.setCapability(Rebuilding(owner)) }
    owner.message.withRoot(Sample.Builder.self) { sample in
      sample.any.setCapability(Hook("last"))
      #expect(name(sample.any.capability) == "last")
      #expect(name(sample.child.any.capability) == "from deinit")
    }
  }
}
