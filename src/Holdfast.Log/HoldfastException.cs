namespace Holdfast.Log;

/// <summary>
/// The world failed us: disk, network, damage, wrong key. Ordinary outcomes are return values instead.
/// </summary>
/// <remarks>
/// <see cref="Exception.Message"/> reads <c>thing: what is wrong, found and expected</c> in one line, without a full
/// stop; <see cref="Hint"/> says what to do. Nothing parses either: callers branch on <see cref="Kind"/>.
/// </remarks>
public class HoldfastException : Exception
{
    /// <summary>Makes an error that a user can act on.</summary>
    /// <param name="kind">Decides the exit code.</param>
    /// <param name="message">The thing and what is wrong with it, in one line.</param>
    /// <param name="hint">What to do about it, in one line.</param>
    /// <param name="inner">The failure below, if any; never shown to the user.</param>
    public HoldfastException(ErrorKind kind, string message, string? hint = null, Exception? inner = null)
        : base(message, inner)
    {
        Kind = kind;
        Hint = hint;
    }

    /// <summary>What sort of failure it is; decides the exit code.</summary>
    public ErrorKind Kind { get; }

    /// <summary>What the user can do, in one line; null when there is nothing to add.</summary>
    public string? Hint { get; }
}
