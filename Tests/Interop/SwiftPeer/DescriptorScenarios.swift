import CapnProto
import CapnProtoNIO
import CapnProtoRPC

let descriptorScenarios: [Scenario] = [
  Scenario("descriptor-of-a-result") { client in
    let notes = try await client.askForNotes(["hello"]).results { try $0.notes.map { $0 } }
    try await expect(notes[0].described(), is: client.carried("hello"))
    try await expect(notes[0].text().results { try $0.text.string }, is: "hello")
  },
  Scenario("descriptor-of-a-parameter") { client in
    let found = try await client.offerNotes(["mine", ""]).results { try $0.texts.map { $0.string } }
    try expect(found, is: [client.carried("mine"), ""])
  },
  Scenario("descriptor-of-a-promise") { client in
    let note = client.peer.lateNote {
      $0.text = "late"
      $0.afterMilliseconds = 20
    }.pipeline.note
    try await expect(note.described(), is: client.carried("late"))
    try await expect(note.text().results { try $0.text.string }, is: "late")
  },
  // Among messages longer than a socket takes at once, each descriptor comes to its own capability.
  Scenario("descriptors-of-many") { client in
    for round in 0..<5 {
      let texts = (0..<12).map { $0 % 3 == 1 ? "" : "note \(round) \($0)" }
      let asked = client.askForNotes(texts)
      let offered = try client.offerNotes(texts, padding: round * 300_000)
      let askedAgain = client.askForNotes(texts)
      let expected = texts.map(client.carried)
      try await expect(offered.results { try $0.texts.map { $0.string } }, is: expected)
      for call in [asked, askedAgain] {
        let notes = try await call.results { try $0.notes.map { $0 } }
        var found: [String] = []
        for note in notes { found.append(try await note.described()) }
        try expect(found, is: expected)
      }
    }
  },
]

extension Client {
  /// What the descriptor of a note gives to read: nothing where the transport carries none.
  fileprivate func carried(_ text: String) -> String {
    if case .unix = address { text } else { "" }
  }

  fileprivate func askForNotes(
    _ texts: [String]
  ) -> RemoteCall<Peer.NewNotesResults.Reader, NoPipeline> {
    peer.newNotes {
      let list = $0.initTexts(texts.count)
      for (index, text) in texts.enumerated() { list[index] = text }
    }
  }

  fileprivate func offerNotes(
    _ texts: [String], padding: Int = 0
  ) throws -> RemoteCall<Peer.ReadNotesResults.Reader, NoPipeline> {
    let notes = try texts.map { try NoteObject.make(own, $0) }
    return peer.readNotes {
      let list = $0.initNotes(notes.count)
      for (index, note) in notes.enumerated() { list[index] = note }
      $0.padding = [UInt8](repeating: 7, count: padding)
    }
  }
}
