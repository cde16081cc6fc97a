namespace Holdfast.Testing;

/// <summary>The power is out: thrown by every call to a <see cref="SimulatedDisk"/> from the cut on.</summary>
/// <remarks>Not a <c>HoldfastException</c>: no code under test may handle it.</remarks>
public sealed class PowerCutException(int call) : Exception($"power cut at disk call {call}")
{
    /// <summary>The number of the call at which the power was cut; the first is 1.</summary>
    public int Call => call;
}
