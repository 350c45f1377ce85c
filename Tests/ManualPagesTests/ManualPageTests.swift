import ManualPages
import Testing

/// Pages of a program that there is not, whose help has one of everything.
struct ManualPageTests {
  private static let dump = #"""
    {"serializationVersion": 0, "command": {
      "commandName": "tool", "abstract": "Do things.", "discussion": "Begin with this:\n  tool cut a-b.wav\n\nThen rest.",
      "arguments": [
        {"kind": "flag", "shouldDisplay": true, "isOptional": true, "isRepeating": false, "abstract": "Show the version.",
         "names": [{"kind": "long", "name": "version"}], "preferredName": {"kind": "long", "name": "version"}}],
      "subcommands": [
        {"commandName": "cut", "abstract": "Cut a song's file.",
         "discussion": ".hidden files\nare \"skipped\".\n\nExit status:\n  0    done\n  130  interrupted,\n       by Ctrl-C\n\nEnvironment: none.\n\nExamples:\n  tool cut 'x y'.wav\n  tool cut ~/a\\b.wav",
         "arguments": [
          {"kind": "positional", "shouldDisplay": true, "isOptional": false, "isRepeating": true, "valueName": "file",
           "abstract": "Songs, naïve ones too."},
          {"kind": "option", "shouldDisplay": true, "isOptional": true, "isRepeating": false, "valueName": "mode",
           "names": [{"kind": "long", "name": "clip-mode"}, {"kind": "short", "name": "c"}], "sectionTitle": "Sound",
           "preferredName": {"kind": "long", "name": "clip-mode"}, "defaultValue": "hard",
           "allValues": ["hard", "soft"], "allValueDescriptions": {"hard": "at once", "soft": "by and by"},
           "abstract": "How."},
          {"kind": "option", "shouldDisplay": true, "isOptional": false, "isRepeating": false, "valueName": "dir",
           "names": [{"kind": "long", "name": "out"}], "preferredName": {"kind": "long", "name": "out"}},
          {"kind": "option", "shouldDisplay": false, "isOptional": true, "isRepeating": false, "valueName": "secret",
           "names": [{"kind": "long", "name": "secret"}], "preferredName": {"kind": "long", "name": "secret"}}]},
        {"commandName": "paste", "abstract": "Paste."},
        {"commandName": "internal", "shouldDisplay": false, "subcommands": [{"commandName": "deep"}]},
        {"commandName": "help", "abstract": "Show help."}]}}
    """#

  private func page(_ name: String) throws -> String {
    let pages = try ManualPage.all(dump: Self.dump, version: "1.2.3", date: "2026-11-21")
    return try #require(pages.first { $0.name == name }).text
  }

  @Test func everyVisibleCommandHasAPage() throws {
    let pages = try ManualPage.all(dump: Self.dump, version: "1.2.3")
    #expect(pages.map(\.fileName) == ["tool.1", "tool-cut.1", "tool-paste.1"])
  }

  @Test func thePageOfAProgramReadsSo() throws {
    #expect(
      try page("tool") == #"""
        .\" Written by tool 1.2.3 from its own help. Do not edit.
        .TH "TOOL" 1 "2026\-11\-21" "tool 1.2.3" "User Commands"
        .SH "NAME"
        tool \- Do things
        .SH "SYNOPSIS"
        \fBtool\fR [\fIoption\fR]... \fIsubcommand\fR
        .SH "DESCRIPTION"
        .PP
        Do things.
        .PP
        Begin with this:
        .PP
        .RS 4
        .nf
        tool cut a\-b.wav
        .fi
        .RE
        .PP
        Then rest.
        .SH "OPTIONS"
        .TP
        \fB\-\-version\fR
        Show the version.
        .SH "SUBCOMMANDS"
        .TP
        \fBcut\fR
        Cut a song\(aqs file.
        .TP
        \fBpaste\fR
        Paste.
        .TP
        \fBhelp\fR
        Show help.
        .SH "SEE ALSO"
        \fBtool\-cut\fR(1),
        \fBtool\-paste\fR(1)

        """#)
  }

  @Test func thePageOfASubcommandReadsSo() throws {
    #expect(
      try page("tool-cut") == #"""
        .\" Written by tool 1.2.3 from its own help. Do not edit.
        .TH "TOOL\-CUT" 1 "2026\-11\-21" "tool 1.2.3" "User Commands"
        .SH "NAME"
        tool\-cut \- Cut a song\(aqs file
        .SH "SYNOPSIS"
        \fBtool cut\fR [\fIoption\fR]... \fB\-\-out\fR \fIdir\fR \fIfile\fR...
        .SH "DESCRIPTION"
        .PP
        Cut a song\(aqs file.
        .PP
        \&.hidden files are \(dqskipped\(dq.
        .SH "ARGUMENTS"
        .TP
        \fIfile\fR...
        Songs, na\[u00EF]ve ones too.
        .SH "OPTIONS"
        .SS "Sound"
        .TP
        \fB\-c\fR, \fB\-\-clip\-mode\fR \fImode\fR
        How. (values: hard, soft; default: hard)
        .RS
        .TP
        \fBhard\fR
        at once
        .TP
        \fBsoft\fR
        by and by
        .RE
        .SS "Other options"
        .TP
        \fB\-\-out\fR \fIdir\fR
        .SH "EXIT STATUS"
        .TP
        \fB0\fR
        done
        .TP
        \fB130\fR
        interrupted, by Ctrl\-C
        .SH "ENVIRONMENT"
        .PP
        none.
        .SH "EXAMPLES"
        .PP
        .RS 4
        .nf
        tool cut \(aqx y\(aq.wav
        tool cut \(ti/a\eb.wav
        .fi
        .RE
        .SH "SEE ALSO"
        \fBtool\fR(1),
        \fBtool\-paste\fR(1)

        """#)
  }

  @Test func otherDescriptionsAreRefused() {
    #expect(throws: ManualPageError.unknownVersion(1)) {
      try ManualPage.all(dump: #"{"serializationVersion": 1}"#, version: "1.2.3")
    }
    for dump in ["", "{}", #"{"serializationVersion": 0}"#, #"{"serializationVersion": 0, "command": {}}"#] {
      #expect(throws: ManualPageError.self) { try ManualPage.all(dump: dump, version: "1.2.3") }
    }
  }
}
