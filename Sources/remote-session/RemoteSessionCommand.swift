import ArgumentParser

@main struct RemoteSessionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remote-session",
    abstract: "Log in to a guest, see what it grants, and call it.",
    discussion: """
      Every command connects, logs in, and logs out when it is done: a session cannot be kept for \
      a later command, since nothing but the connection refers to it.

      The demonstration guest has the account 'operator' with the password 'let-me-in':

        echo let-me-in > /tmp/password
        remote-session list --password-file /tmp/password
        remote-session call systemInfo.motd --anonymous
      """,
    subcommands: [LoginCommand.self, ListCommand.self, CallCommand.self, InteropCommand.self])
}
