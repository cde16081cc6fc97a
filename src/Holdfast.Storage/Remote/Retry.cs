using System.Buffers.Binary;
using Holdfast.Log;

namespace Holdfast.Storage.Remote;

/// <summary>Repeats requests that failed but may succeed later.</summary>
/// <remarks>
/// The bound of a wait doubles from one to the next, and the wait is a random part of it ("full jitter": Brooker, Exponential
/// Backoff And Jitter), so that many clients do not return at the same moment. A store that never answered since the program began
/// is most likely not there: that is said soon. May be used from any thread.
/// </remarks>
internal sealed class Retry(TimeProvider clock, IEntropy entropy, TimeSpan patience)
{
    private const int FirstAttempts = 3;

    private static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private volatile bool answered;

    /// <summary>Runs a request until it succeeds, fails for good, or patience ends.</summary>
    /// <param name="request">One attempt. Throws <see cref="ObjectStoreException"/> for what the store or the network did.</param>
    /// <param name="cancellationToken">Heeded between the attempts.</param>
    public async Task<T> RunAsync<T>(Func<Task<T>> request, CancellationToken cancellationToken)
    {
        long start = clock.GetTimestamp();
        for (int attempt = 1; ; attempt++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                T result = await request().ConfigureAwait(false);
                answered = true;
                return result;
            }
            catch (ObjectStoreException failure) when (failure.IsRetriable && MayGoOn(attempt, clock.GetElapsedTime(start)))
            {
                // Tried again below.
            }

            await Task.Delay(NextWait(attempt), clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private bool MayGoOn(int attempt, TimeSpan elapsed) =>
        answered ? elapsed < patience : attempt < FirstAttempts && elapsed < FirstPatience;

    private TimeSpan NextWait(int attempt)
    {
        double bound = Math.Min(FirstWait.TotalSeconds * Math.Pow(2, attempt - 1), LongestWait.TotalSeconds);
        Span<byte> random = stackalloc byte[sizeof(uint)];
        entropy.Fill(random);
        return TimeSpan.FromSeconds(bound * BinaryPrimitives.ReadUInt32LittleEndian(random) / uint.MaxValue);
    }
}
