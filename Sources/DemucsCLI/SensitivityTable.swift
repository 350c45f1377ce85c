import Foundation
import Sensitivity

/// A sensitivity report as text.
struct SensitivityTable {
  private let report: SensitivityReport

  init(_ report: SensitivityReport) { self.report = report }

  var text: String {
    var lines = [
      "model    \(report.model), policy \(report.policy), \(format(report.seconds, 1)) s of"
        + " \(report.files.joined(separator: ", "))",
      "time     \(format(report.timeRatio, 2)) times that of fp32",
      "",
      row("SNR in dB against fp32", report.sources, "worst"),
      row("the policy", report.whole.ratios.map(decibels), decibels(report.whole.worst)),
      row("everything in half precision", report.everything.ratios.map(decibels), decibels(report.everything.worst)),
      row("level of the stem against the mix", report.levels.map(decibels), ""),
    ]
    let sections = [("operations", report.classes), ("layers", report.layers), ("modules", report.modules)]
    for (title, rows) in sections where !rows.isEmpty {
      lines += [
        "",
        "\(title), the most harmful first: worst stem in dB when it alone is rounded; when the policy is changed by it (+ it is "
          + "rounded too, - it is kept in fp32); when everything but it is in half precision",
        columns([title, "alone", "changed", "all but", "% ops", "% bytes", "peak", "headroom", "% small"]),
      ]
      for entry in rows.sorted(by: { ($0.alone.worst ?? -999) < ($1.alone.worst ?? -999) }) {
        lines.append(
          columns([
            entry.name, decibels(entry.alone.worst), (entry.isRounded ? "- " : "+ ") + decibels(entry.changed.worst),
            decibels(entry.allBut.worst), format(100 * entry.operationShare, 1),
            format(100 * entry.byteShare, 1), entry.peak > 0 ? format(entry.peak, 1) : "",
            entry.headroom.map { entry.peak > 0 ? format($0, 0) + "x" : "" } ?? "",
            format(100 * entry.underflowShare, 2),
          ]))
      }
    }
    lines += ["", "closest to the largest half (65504)", columns(["module", "peak", "headroom", "% small"])]
    for module in report.ranges.sorted(by: { $0.peak > $1.peak }).prefix(8) {
      lines.append(
        columns([
          module.name, format(module.peak, 1), module.headroom.map { format($0, 0) + "x" } ?? "",
          format(100 * module.underflowShare, 2),
        ]))
    }
    if let proposal = report.proposal { lines += [""] + text(proposal) }
    return lines.joined(separator: "\n")
  }

  private func text(_ proposal: SensitivityReport.Proposal) -> [String] {
    let ratios = proposal.result.ratios.map(decibels).joined(separator: ", ")
    if proposal.reached, proposal.fp32.isEmpty {
      return [
        "reaches \(format(proposal.target, 1)) dB as it is, nothing more has to be in fp32: \(ratios) dB",
        "in fp32  \(format(100 * proposal.operationShare, 1)) % of the operations,"
          + " \(format(100 * proposal.byteShare, 1)) % of the bytes",
      ]
    }
    return [
      "\(proposal.reached ? "reaches" : "does not reach") \(format(proposal.target, 1)) dB with \(proposal.fp32.count)"
        + " parts in fp32: \(ratios) dB, found in \(proposal.runs) runs, the last of which proves it",
      "in fp32  \(format(100 * proposal.operationShare, 1)) % of the operations (before \(format(100 * proposal.operationShareBefore, 1)) %),"
        + " \(format(100 * proposal.byteShare, 1)) % of the bytes (before \(format(100 * proposal.byteShareBefore, 1)) %)",
      "--fp32-ops '\(proposal.fp32.joined(separator: ","))'",
    ]
  }

  private func format(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

  private func decibels(_ value: Double?) -> String {
    guard let value else { return "lost" }
    return value >= 300 ? "equal" : format(value, 1)
  }

  private func row(_ name: String, _ cells: [String], _ last: String) -> String {
    let all = (cells + [last]).map { String(repeating: " ", count: max(1, 9 - $0.count)) + $0 }
    return name.padding(toLength: 36, withPad: " ", startingAt: 0) + all.joined()
  }

  private func columns(_ cells: [String]) -> String {
    cells[0].padding(toLength: max(36, cells[0].count), withPad: " ", startingAt: 0)
      + cells.dropFirst().map { String(repeating: " ", count: max(1, 10 - $0.count)) + $0 }.joined()
  }
}
