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
      <p>\(isEnough ? "as it is" : "with \(proposal.fp32.count) parts kept in fp32"): \(ratios) dB. In fp32 are
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

/// Errors of the layers of both branches as an SVG chart.
struct ErrorChart {
  private let branches: [(name: String, colour: String, points: [SensitivityReport.Growth])]

  private static let width = 960.0
  private static let height = 380.0
  private static let margin = (left: 56.0, right: 20.0, top: 20.0, bottom: 110.0)

  init(_ growth: [SensitivityReport.Growth]) {
    branches = [
      ("frequency branch", "#1f5fbf", growth.filter { $0.branch == .frequency }),
      ("time branch", "#c4501b", growth.filter { $0.branch == .time }),
    ]
  }

  var text: String {
    let errors = branches.flatMap { $0.points.map(\.error) }.filter { $0 > -200 }
    guard let lowest = errors.min(), let highest = errors.max() else { return "<p>No layer differs.</p>" }
    let (bottom, top) = (
      (lowest / 10).rounded(.down) * 10, (highest / 10).rounded(.up) * 10 + (highest == lowest ? 10 : 0)
    )
    let count = max(2, branches.map(\.points.count).max() ?? 2)
    let plot = (
      width: Self.width - Self.margin.left - Self.margin.right,
      height: Self.height - Self.margin.top - Self.margin.bottom
    )
    func x(_ index: Int) -> Double { Self.margin.left + plot.width * Double(index) / Double(count - 1) }
    func y(_ error: Double) -> Double {
      Self.margin.top + plot.height * (top - max(error, bottom)) / max(10, top - bottom)
    }
    var shapes: [String] = []
    for level in stride(from: bottom, through: top, by: 10) {
      shapes.append(line(Self.margin.left, y(level), Self.width - Self.margin.right, y(level), "#e2e2e2"))
      shapes.append(label("\(Int(level)) dB", Self.margin.left - 6, y(level) + 4, "end"))
    }
    for (index, point) in (branches.map(\.points).max { $0.count < $1.count } ?? []).enumerated() {
      let place = (x: x(index), y: Self.height - Self.margin.bottom + 14)
      let name = point.name.replacingOccurrences(of: "crosstransformer.", with: "")
      shapes.append(
        "<text transform=\"translate(\(format(place.x)) \(format(place.y))) rotate(45)\">\(escaped(name))</text>")
    }
    for (index, branch) in branches.enumerated() where !branch.points.isEmpty {
      let points = branch.points.enumerated().map { (x: x($0.offset), y: y($0.element.error), name: $0.element) }
      let path = points.map { "\(format($0.x)),\(format($0.y))" }.joined(separator: " ")
      shapes.append("<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(branch.colour)\" stroke-width=\"2\"/>")
      shapes += points.map {
        "<circle cx=\"\(format($0.x))\" cy=\"\(format($0.y))\" r=\"4\" fill=\"\(branch.colour)\"><title>"
          + "\(escaped($0.name.name)): \(format($0.name.error)) dB</title></circle>"
      }
      let place = Self.margin.top + 16 + 18 * Double(index)
      shapes.append(
        "<rect x=\"\(Self.margin.left + 12)\" y=\"\(place - 9)\" width=\"12\" height=\"12\" fill=\"\(branch.colour)\"/>"
      )
      shapes.append(label(branch.name, Self.margin.left + 30, place + 2, "start"))
    }
    return
      "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" aria-label=\"Error of each layer\">\n"
      + shapes.joined(separator: "\n") + "\n</svg>"
  }

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String) -> String {
    "<line x1=\"\(format(x1))\" y1=\"\(format(y1))\" x2=\"\(format(x2))\" y2=\"\(format(y2))\" stroke=\"\(colour)\"/>"
  }

  private func label(_ text: String, _ x: Double, _ y: Double, _ anchor: String) -> String {
    "<text x=\"\(format(x))\" y=\"\(format(y))\" text-anchor=\"\(anchor)\">\(escaped(text))</text>"
  }

  private func format(_ value: Double) -> String { String(format: "%.1f", value) }
}
