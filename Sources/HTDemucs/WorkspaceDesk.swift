import Foundation
import Layers
import Tensors

/// Lends workspaces to whoever separates a segment; who finds none free waits for one.
final class WorkspaceDesk: @unchecked Sendable {
  private let condition = NSCondition()
  private var free: [Workspace]
  private var lent = 0

  init(_ workspaces: [Workspace]) { free = workspaces }

  /// Workspaces in all.
  var count: Int { condition.withLock { free.count + lent } }

  /// Bytes held by the workspaces that are not in use.
  var bytes: Int { condition.withLock { free.reduce(0) { $0 + $1.bytes } } }

  /// Puts other workspaces in place of the present ones, once these have come back.
  func replace(with workspaces: [Workspace]) {
    condition.withLock {
      while lent > 0 { condition.wait() }
      free = workspaces
      condition.broadcast()
    }
  }

  func lend<Result>(_ body: (Workspace) throws -> Result) rethrows -> Result {
    let workspace = condition.withLock {
      while free.isEmpty { condition.wait() }
      lent += 1
      return free.removeLast()
    }
    defer {
      condition.withLock {
        lent -= 1
        free.append(workspace)
        condition.broadcast()
      }
    }
    return try body(workspace)
  }
}
