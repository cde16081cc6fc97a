namespace Holdfast.Testing.Simulation;

/// <summary>The error numbers that a healthy disk answers with.</summary>
internal static class SimulatedErrno
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int BadDescriptor = 9;
    public const int NotDirectory = 20;
    public const int IsDirectory = 21;
    public const int InvalidArgument = 22;
    public const int TooLarge = 27;
    public const int NotEmpty = 39;
}
