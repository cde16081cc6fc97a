namespace Holdfast.Bitcask.Keydirs;

/// <summary>Says when what readers without a lock may still be looking at can be freed.</summary>
/// <remarks>
/// <para>A reader counts itself in one of many counters, and out of the same one. Whoever replaces a thing that readers
/// reach makes it unreachable first and then retires it; it is freed when each counter was seen at zero since. Why that
/// is right: the reader counts itself, then, behind a full fence, searches; the thing is made unreachable, then, behind
/// a full fence, the counters are looked at. If the look at the reader's counter came before it counted itself, its
/// search no longer found the thing. Else the look saw it, and saw zero only after the reader had left. It does not
/// matter which counter a reader takes, nor how long it is held up between choosing one and counting itself, nor that
/// the counters are looked at one after the other.</para>
/// <para>The phase is there so that counters do come to zero under a stream of readers: of the two counters of a
/// stripe, readers take that of the phase. When all those of the other phase were seen at zero, the phase changes, and
/// those left run dry: only readers that had read the phase before still come in there. A stripe is a processor's, so
/// that readers do not contend.</para>
/// <para>Reads may be nested and may last; while one lasts, what is retired after it began waits. All members may be
/// called by any thread at any time.</para>
/// </remarks>
internal sealed class ReadEpochs
{
    // Two cache lines for a stripe: processors fetch lines by pairs.
    private const int StripeLength = 128 / sizeof(long);
    private const int MaxStripes = 128;

    private readonly int stripeMask;
    private readonly long[] counters;
    private readonly Lock gate = new();

    // The counters not yet seen at zero since `waiting` was retired. Both belong to the thread that set `isReclaiming`.
    private readonly int[] pending;
    private int pendingCount;
    private List<IDisposable> waiting = [];

    private List<IDisposable> retired = [];
    private int isReclaiming;
    private int phase;

    /// <summary>No reads, nothing retired.</summary>
    public ReadEpochs()
        : this(Math.Min(Environment.ProcessorCount, MaxStripes))
    {
    }

    /// <summary>With a number of stripes; rounded up to a power of two.</summary>
    internal ReadEpochs(int stripes)
    {
        int count = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)stripes);
        stripeMask = count - 1;

        // Stripe 0 is left out: it shares its line with the array's length, which every reader needs.
        counters = new long[(count + 1) * StripeLength];
        pending = new int[count * 2];
    }

    /// <summary>Begins a read: what can be found from now on is not freed before <see cref="Exit"/>.</summary>
    /// <returns>What <see cref="Exit"/> wants back, from any thread.</returns>
    public int Enter()
    {
        int token = ChooseCounter();
        Count(token);
        return token;
    }

    /// <summary>Ends a read.</summary>
    /// <param name="token">Of its <see cref="Enter"/>.</param>
    public void Exit(int token) => Interlocked.Decrement(ref counters[token]);

    /// <summary>Frees a thing after all reads that are going on have ended. Waits for none of them.</summary>
    /// <param name="unreachable">No read that begins now can find it. Disposed of once, by any thread; must not
    /// throw.</param>
    public void Retire(IDisposable unreachable)
    {
        lock (gate)
        {
            retired.Add(unreachable);
        }

        TryReclaim();
    }

    /// <summary>Frees what can be freed now, without waiting.</summary>
    /// <returns>Whether nothing is left that was retired.</returns>
    public bool TryReclaim()
    {
        // Not a lock: disposing of one thing may retire another, on the same thread.
        if (Interlocked.CompareExchange(ref isReclaiming, 1, 0) != 0)
        {
            return false;
        }

        try
        {
            while (waiting.Count > 0 || TakeRetired())
            {
                if (!WereAllCountersZero())
                {
                    return false;
                }

                FreeWaiting();
            }

            return true;
        }
        finally
        {
            Volatile.Write(ref isReclaiming, 0);
        }
    }

    /// <summary>Waits until all is freed that is retired. Never returns to one who is in a read.</summary>
    public void Drain()
    {
        SpinWait wait = default;
        while (!TryReclaim())
        {
            wait.SpinOnce();
        }
    }

    /// <summary>The first half of <see cref="Enter"/>; a reader may be held up after it. Apart for tests.</summary>
    internal int ChooseCounter()
    {
        int stripe = 1 + (Thread.GetCurrentProcessorId() & stripeMask);
        return (stripe * StripeLength) + Volatile.Read(ref phase);
    }

    /// <summary>The second half of <see cref="Enter"/>.</summary>
    internal void Count(int token) => Interlocked.Increment(ref counters[token]);

    private bool TakeRetired()
    {
        lock (gate)
        {
            (waiting, retired) = (retired, waiting);
        }

        if (waiting.Count == 0)
        {
            return false;
        }

        // Between the unlinking of all that was retired and the look at the counters.
        Interlocked.MemoryBarrier();
        pendingCount = 0;
        for (int stripe = 1; stripe <= stripeMask + 1; stripe++)
        {
            pending[pendingCount++] = stripe * StripeLength;
            pending[pendingCount++] = (stripe * StripeLength) + 1;
        }

        return true;
    }

    private bool WereAllCountersZero()
    {
        LookAtPending();
        if (pendingCount > 0 && AreAllPendingOf(phase))
        {
            Interlocked.Exchange(ref phase, 1 - phase);
            LookAtPending();
        }

        return pendingCount == 0;
    }

    private void LookAtPending()
    {
        int left = 0;
        for (int i = 0; i < pendingCount; i++)
        {
            int token = pending[i];
            if (Volatile.Read(ref counters[token]) != 0)
            {
                pending[left++] = token;
            }
        }

        pendingCount = left;
    }

    private bool AreAllPendingOf(int ofPhase)
    {
        for (int i = 0; i < pendingCount; i++)
        {
            if ((pending[i] & 1) != ofPhase)
            {
                return false;
            }
        }

        return true;
    }

    private void FreeWaiting()
    {
        while (waiting.Count > 0)
        {
            IDisposable freed = waiting[^1];
            waiting.RemoveAt(waiting.Count - 1);
            freed.Dispose();
        }
    }
}
