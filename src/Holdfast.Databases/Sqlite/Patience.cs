using System.Globalization;
using Holdfast.Databases.Checkpoints;

namespace Holdfast.Databases.Sqlite;

/// <summary>Waits for other programs' locks, no longer than is bearable. Not for several threads at once.</summary>
/// <param name="clock">What time passes by.</param>
/// <param name="limit">How long one lock is waited for.</param>
internal sealed class Patience(TimeProvider clock, TimeSpan limit)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(25);

    private TimeSpan pause = FirstPause;
    private long? since;

    /// <summary>How long has been waited for the present lock, for a message.</summary>
    public string Waited => string.Create(
        CultureInfo.InvariantCulture, $"{(since is { } start ? clock.GetElapsedTime(start) : TimeSpan.Zero).TotalSeconds:0.0} s");

    /// <summary>Waits a little; false when it has been long enough.</summary>
    public bool TryWait(CancellationToken cancellationToken)
    {
        since ??= clock.GetTimestamp();
        if (clock.GetElapsedTime(since.Value) >= limit) return false;
        CapturePace.Pause(clock, pause, cancellationToken);
        pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        return true;
    }

    /// <summary>The lock was had: the next one is waited for anew.</summary>
    public void Reset()
    {
        since = null;
        pause = FirstPause;
    }
}
