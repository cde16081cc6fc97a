using Holdfast.Log;

namespace Holdfast.Testing;

/// <summary>A whole simulated world from one seed.</summary>
public sealed record SimulatedHost(SimulatedDisk Disk, SimulatedClock Clock, SimulatedEntropy Entropy)
{
    /// <summary>As the floors take it.</summary>
    public Host Host => new(Disk, Clock, Entropy);

    public static implicit operator Host(SimulatedHost host) => host.Host;

    /// <summary>An empty world.</summary>
    /// <param name="seed">Decides everything that is left to chance.</param>
    /// <param name="cutAt">The disk call at which the power is cut; the first is 1.</param>
    public static SimulatedHost Create(int seed, int cutAt = int.MaxValue)
    {
        var clock = new SimulatedClock();
        return new SimulatedHost(new SimulatedDisk(seed, cutAt, clock), clock, new SimulatedEntropy(seed));
    }

    /// <summary>
    /// The world when the power is back (see <see cref="SimulatedDisk.AfterPowerCut"/>); randomness goes on.
    /// </summary>
    public SimulatedHost AfterPowerCut(int outcome = 0, int cutAt = int.MaxValue) =>
        this with { Disk = Disk.AfterPowerCut(outcome, cutAt) };
}
