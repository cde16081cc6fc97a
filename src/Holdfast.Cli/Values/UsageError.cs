using Holdfast.Log;

namespace Holdfast.Cli.Values;

/// <summary>Errors in what the user wrote.</summary>
internal static class UsageError
{
    /// <summary>An error of the command line or of a variable: what, what is wrong with it, and what to write instead.</summary>
    public static HoldfastException Of(string message, string? hint = null, Exception? inner = null) =>
        new(ErrorKind.Usage, message, hint, inner);
}
