import DemucsCLI
import Testing

/// Each song is told of once, whoever tells: the thread of its batch, or that which ends the program.
struct SongLedgerTests {
  private let ledger = SongLedger()
  private let songs = [1, 2, 3]

  private func rest() -> [SongLedger.Rest]? { ledger.tellRestIfAvailable(of: songs) { $0 } }

  /// A song that is being told of is neither left to the rest, nor is the rest told in the middle of it.
  @Test func nothingIsToldInTheMiddleOfASong() {
    ledger.begin(1) {}
    ledger.begin(2) {}
    ledger.tell(1) { #expect(rest() == nil) }
    #expect(rest() == [SongLedger.Rest(number: 2, isBegun: true), SongLedger.Rest(number: 3, isBegun: false)])
    #expect(rest() == [])
  }

  /// What was called stopped is not called done behind that, nor begun.
  @Test func nothingIsToldOfASongThatWasStopped() {
    ledger.begin(1) {}
    ledger.tellRest(of: songs) { #expect($0.map(\.number) == songs && rest() == nil) }
    for song in songs {
      ledger.tell(song) { Issue.record("\(song) was told of twice") }
      ledger.begin(song) { Issue.record("\(song) was begun behind its end") }
    }
  }

  @Test func aSongIsToldOfOnce() {
    var count = 0
    for _ in 1...3 { ledger.tell(2) { count += 1 } }
    #expect(count == 1 && rest()?.map(\.number) == [1, 3])
  }
}
