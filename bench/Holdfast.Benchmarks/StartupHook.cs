using System.Globalization;

/// Loaded by the runtime into the product itself where DOTNET_STARTUP_HOOKS names this assembly: at the end it says what the
/// collector did. The runtime wants this name, outside any namespace.
#pragma warning disable CA1050
internal static class StartupHook
#pragma warning restore CA1050
{
    /// Names the file for the answer.
    public const string FileVariable = "HOLDFAST_BENCHMARK_COLLECTOR";

    public static void Initialize() => AppDomain.CurrentDomain.ProcessExit += static (_, _) =>
    {
        string line = string.Create(
            CultureInfo.InvariantCulture, $"{GC.CollectionCount(0)} {GC.GetTotalAllocatedBytes()} {GC.GetTotalPauseDuration().TotalMilliseconds}");
        File.WriteAllText(Environment.GetEnvironmentVariable(FileVariable)!, line);
    };
}
