namespace Holdfast.Log;

/// <summary>
/// The world as the floors see it: disk, clock and randomness. Passed in; a test passes a simulated one.
/// </summary>
/// <param name="Disk">Files of our own formats.</param>
/// <param name="Clock">What time it is, and how much has passed.</param>
/// <param name="Entropy">Randomness.</param>
public sealed record Host(IDisk Disk, TimeProvider Clock, IEntropy Entropy)
{
    /// <summary>The real machine.</summary>
    public static Host CreateReal() => new(new HostDisk(), TimeProvider.System, new SystemEntropy());
}
