import Foundation
import Sensitivity

/// Errors of the layers of both branches as an SVG chart.
struct ErrorChart {
  private let branches: [(name: String, colour: String, points: [SensitivityReport.Growth])]

  private static let width = 960.0
  private static let height = 380.0
  private static let margin = (left: 56.0, right: 56.0, top: 40.0, bottom: 110.0)

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
      // Above the plot, where no line runs.
      let left = Self.margin.left + 170 * Double(index)
      shapes.append("<rect x=\"\(format(left))\" y=\"10\" width=\"12\" height=\"12\" fill=\"\(branch.colour)\"/>")
      shapes.append(label(branch.name, left + 18, 20, "start"))
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
