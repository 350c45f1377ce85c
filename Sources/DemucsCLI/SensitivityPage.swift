import Foundation
import Sensitivity

/// A sensitivity report as a page of its own: tables, and a chart of how errors grow through the network.
struct SensitivityPage {
  private let report: SensitivityReport

  init(_ report: SensitivityReport) { self.report = report }

  private static let style = """
    body { font: 15px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #222; }
    table { border-collapse: collapse; margin: 1em 0; }
    th, td { padding: .2em .8em; text-align: right; } th:first-child, td:first-child { text-align: left; }
    tr { border-bottom: 1px solid #ddd; } code { background: #f3f3f3; padding: 0 .2em; }
    svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: #444; }
    """

  var text: String {
    let files = escaped(report.files.joined(separator: ", "))
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><title>Precision of \(escaped(report.model))</title>
      <style>
      \(Self.style)
      </style></head><body>
      <h1>\(escaped(report.model)), policy \(escaped(report.policy))</h1>
      <p>\(number(report.seconds, 1)) s of \(files), in \(number(report.timeRatio, 2)) times the time of fp32. Ratios are
      signal-to-noise ratios in dB against the stems of fp32; “lost” means infinities or NaNs.</p>
      \(table(stems))
      \(proposal)
      <h2>How the error grows</h2>
      <p>RMS of the error of each layer's result over that of the result, in dB.</p>
      \(ErrorChart(report.growth).text)
      <h2>Operations</h2>
      \(explanation)
      \(table(rows("operations", report.classes)))
      <h2>Layers</h2>
      \(table(rows("layers", report.layers)))
      \(modules)
      <h2>Range of every module</h2>
      \(table(ranges))
      </body></html>

      """
  }

  private var stems: [[String]] {
    [
      [""] + report.sources.map(escaped), ["SNR"] + report.whole.ratios.map(decibels),
      ["everything in half precision"] + report.everything.ratios.map(decibels),
      ["level against the mix"] + report.levels.map(decibels),
    ]
  }

  private var modules: String {
    report.modules.isEmpty ? "" : "<h2>Modules</h2>\n\(table(rows("modules", report.modules)))"
  }

  private var explanation: String {
    """
    <p>The ratio of the worst stem: when the operations alone are rounded; when the policy is changed by them (−: they are
    kept in fp32, +: they are rounded too); when everything but them is in half precision. Then their share of the products and of the
    numbers stored, their largest magnitude in fp32, how much larger it could be in half precision, and the share of values
    that half precision holds with fewer digits or as 0.</p>
    """
  }

  private func rows(_ title: String, _ rows: [SensitivityReport.Row]) -> [[String]] {
    [[title, "alone", "changed", "all but", "% operations", "% numbers", "peak", "headroom", "% small"]]
      + rows.sorted { ($0.alone.worst ?? -999) < ($1.alone.worst ?? -999) }.map { entry in
        [
          escaped(entry.name), decibels(entry.alone.worst),
          (entry.isRounded ? "− " : "+ ") + decibels(entry.changed.worst),
          decibels(entry.allBut.worst), number(100 * entry.operationShare, 1),
          number(100 * entry.byteShare, 1), entry.peak > 0 ? number(entry.peak, 1) : "",
          entry.headroom.map { number($0, 0) + "×" } ?? "", number(100 * entry.underflowShare, 2),
        ]
      }
  }

  private var ranges: [[String]] {
    [["module", "peak", "headroom", "% small"]]
      + report.ranges.map {
        [
          escaped($0.name), number($0.peak, 3), $0.headroom.map { number($0, 0) + "×" } ?? "",
          number(100 * $0.underflowShare, 3),
        ]
      }
  }

  private var proposal: String {
    guard let proposal = report.proposal else { return "" }
    let ratios = proposal.result.ratios.map(decibels).joined(separator: ", ")
    let isEnough = proposal.reached && proposal.fp32.isEmpty
    let options = isEnough ? "" : "<p><code>--fp32-ops '\(escaped(proposal.fp32.joined(separator: ",")))'</code></p>"
    return """
      <h2>\(proposal.reached ? "Reaches" : "Does not reach") \(number(proposal.target, 1)) dB</h2>
      <p>\(isEnough ? "as it is" : "with \(proposal.fp32.count) \(proposal.fp32.count == 1 ? "part" : "parts") kept in fp32"): \(ratios) dB. In fp32 are
      \(number(100 * proposal.operationShare, 1)) % of the operations (before \(number(100 * proposal.operationShareBefore, 1)) %)
      and \(number(100 * proposal.byteShare, 1)) % of the bytes (before \(number(100 * proposal.byteShareBefore, 1)) %).</p>
      \(options)
      """
  }

  private func table(_ rows: [[String]]) -> String {
    let lines = rows.enumerated().map { index, cells in
      let kind = index == 0 ? "th" : "td"
      return "<tr>" + cells.map { "<\(kind)>\($0)</\(kind)>" }.joined() + "</tr>"
    }
    return "<table>\n" + lines.joined(separator: "\n") + "\n</table>"
  }

  private func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

  private func decibels(_ value: Double?) -> String {
    guard let value else { return "lost" }
    return value >= 300 ? "equal" : number(value, 1)
  }
}

/// Text as HTML has it.
func escaped(_ text: String) -> String {
  text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
}
