namespace Holdfast.Benchmarks.Reporting;

/// <summary>What is asked of a figure: at most so much of what the peer needs.</summary>
/// <param name="Text">The work in words.</param>
/// <param name="Work">The corpus of our figure, and the vault it goes to.</param>
/// <param name="Step">The step of both figures.</param>
/// <param name="Metric">What is compared.</param>
/// <param name="PeerWork">The corpus of the peer's figure.</param>
/// <param name="Peers">With whom; of several the best counts.</param>
/// <param name="Must">Highest ratio that is acceptable; null where there is none.</param>
/// <param name="Reach">Highest ratio that is hoped for.</param>
internal sealed record Target(
    string Text, string Work, string Step, Metric Metric, string PeerWork, string[] Peers, double? Must, double? Reach);
