using Holdfast.Log;

namespace Holdfast.Cli;

/// <summary>Exit codes; the table is docs/operations/exit-codes.md.</summary>
internal static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>The reader of our output went away: as if ended by SIGPIPE.</summary>
    public const int OutputClosed = 128 + 13;

    /// <summary>The code of a failure.</summary>
    public static int Of(ErrorKind kind) => (int)kind;

    /// <summary>The code of a run that was ended by a signal.</summary>
    public static int OfSignal(int signal) => 128 + signal;

    /// <summary>The name of a failure in JSON.</summary>
    public static string NameOf(ErrorKind kind) => kind switch
    {
        ErrorKind.Failed => "failed",
        ErrorKind.Usage => "usage",
        ErrorKind.Incomplete => "incomplete",
        ErrorKind.NotThere => "notThere",
        ErrorKind.Busy => "busy",
        ErrorKind.WrongKey => "wrongKey",
        ErrorKind.Damage => "damage",
        ErrorKind.Unverified => "unverified",
        ErrorKind.Refused => "refused",
        ErrorKind.Degraded => "degraded",
        _ => "failed",
    };

    /// <summary>
    /// What to end with when several outcomes apply: an outright failure before damage (13), items left out (3) and
    /// degraded redundancy (16).
    /// </summary>
    public static int Combine(int first, int second) => Rank(first) >= Rank(second) ? first : second;

    private static int Rank(int code) => code switch
    {
        Done => 0,
        (int)ErrorKind.Degraded => 1,
        (int)ErrorKind.Incomplete => 2,
        (int)ErrorKind.Damage => 3,
        _ => 4,
    };
}
