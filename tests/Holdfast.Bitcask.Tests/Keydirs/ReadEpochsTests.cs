using System.Runtime.InteropServices;
using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Tests.Keydirs;

/// <summary>What is retired is freed once, after the reads that may see it and not much later.</summary>
public class ReadEpochsTests
{
    [Fact]
    public void WhatIsRetiredWithoutReadersIsFreedAtOnce()
    {
        var epochs = new ReadEpochs();
        var thing = new Thing();

        epochs.Retire(thing);

        Assert.Equal(1, thing.Freed);
        Assert.True(epochs.TryReclaim());
    }

    [Fact]
    public void NothingIsFreedBeforeTheReadsThatWereGoingOnHaveEnded()
    {
        var epochs = new ReadEpochs();
        var thing = new Thing();
        int first = epochs.Enter();
        int second = epochs.Enter();

        epochs.Retire(thing);
        Assert.False(epochs.TryReclaim());
        epochs.Exit(first);
        Assert.False(epochs.TryReclaim());
        Assert.Equal(0, thing.Freed);
        epochs.Exit(second);

        Assert.True(epochs.TryReclaim());
        Assert.Equal(1, thing.Freed);
    }

    [Fact]
    public void WhatIsRetiredWhileAnotherWaitsIsFreedToo()
    {
        var epochs = new ReadEpochs();
        var first = new Thing();
        var second = new Thing();
        int outer = epochs.Enter();
        epochs.Retire(first);
        int inner = epochs.Enter();
        epochs.Retire(second);

        epochs.Exit(outer);
        Assert.False(epochs.TryReclaim());
        Assert.Equal(1, first.Freed);
        Assert.Equal(0, second.Freed);
        epochs.Exit(inner);

        Assert.True(epochs.TryReclaim());
        Assert.Equal(1, second.Freed);
    }

    [Fact]
    public void AStreamOfReadersWithoutAGapDoesNotHinderFreeing()
    {
        var epochs = new ReadEpochs(stripes: 1);
        int reading = epochs.Enter();
        for (int round = 0; round < 10; round++)
        {
            var thing = new Thing();
            epochs.Retire(thing);
            int steps = 0;
            while (thing.Freed == 0)
            {
                int next = epochs.Enter();
                epochs.Exit(reading);
                reading = next;
                epochs.TryReclaim();
                Assert.True(++steps <= 3, $"round {round}: not freed after {steps} reads");
            }
        }
    }

    [Fact]
    public void WhatRetiresAnotherThingWhenItIsFreedIsFreedWithIt()
    {
        var epochs = new ReadEpochs();
        var last = new Thing();
        int token = epochs.Enter();
        epochs.Retire(new Thing(() => epochs.Retire(last)));
        epochs.Exit(token);

        epochs.Drain();

        Assert.Equal(1, last.Freed);
    }

    /// Goal: no interleaving of the steps of readers and of one who reclaims frees what is being looked at.
    /// Method: all of them, in one thread; a reader may be held up between choosing its counter and counting itself.
    [Fact]
    public void InNoInterleavingIsFreedWhatAReaderLooksAt()
    {
        const int Readers = 2;
        const int ReaderSteps = 4;
        const int ReclaimerSteps = 6;
        var schedule = new List<int>();
        int schedules = 0;
        Extend([ReaderSteps, ReaderSteps, ReclaimerSteps]);
        Assert.Equal(210_210, schedules);

        void Extend(int[] left)
        {
            if (left.All(steps => steps == 0))
            {
                schedules++;
                Run(schedule);
                return;
            }

            for (int actor = 0; actor <= Readers; actor++)
            {
                if (left[actor] > 0)
                {
                    left[actor]--;
                    schedule.Add(actor);
                    Extend(left);
                    schedule.RemoveAt(schedule.Count - 1);
                    left[actor]++;
                }
            }
        }
    }

    /// Goal: readers never see memory that was freed.
    /// Method: what is retired is poisoned when it is freed, and readers look at it twice.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public unsafe void ReadersOfManyThreadsNeverSeeWhatWasFreed(int seed)
    {
        const int Blocks = 64;
        const int Replacements = 20_000;
        var epochs = new ReadEpochs();
        using var pool = new PoisonedPool(Blocks);
        long current = (long)pool.Take();
        bool isOver = false;
        long poisoned = 0;
        Thread[] readers =
            [.. Enumerable.Range(0, 3).Select(number => new Thread(() => Read(new Random(seed + number))))];
        Array.ForEach(readers, reader => reader.Start());

        for (int i = 0; i < Replacements; i++)
        {
            long* next;
            while ((next = pool.Take()) == null)
            {
                epochs.TryReclaim();
                Thread.Yield();
            }

            var old = (long*)Interlocked.Exchange(ref current, (long)next);
            epochs.Retire(new Thing(() => pool.Give(old)));
        }

        Volatile.Write(ref isOver, true);
        Array.ForEach(readers, reader => reader.Join());
        epochs.Drain();
        Assert.True(poisoned == 0, $"seed {seed}: {poisoned} reads of what was freed");
        Assert.Equal(Blocks - 1, pool.Left);

        void Read(Random random)
        {
            while (!Volatile.Read(ref isOver))
            {
                int token = epochs.Enter();
                int nested = random.Next(4) == 0 ? epochs.Enter() : -1;
                long* seen = (long*)Volatile.Read(ref current);
                for (int looks = random.Next(1, 30); looks > 0; looks--)
                {
                    if (Volatile.Read(ref *seen) != PoisonedPool.Sound)
                    {
                        Interlocked.Increment(ref poisoned);
                    }

                    if (random.Next(100) == 0)
                    {
                        Thread.Yield();
                    }
                }

                if (nested >= 0)
                {
                    epochs.Exit(nested);
                }

                epochs.Exit(token);
            }
        }
    }

    private static void Run(List<int> schedule)
    {
        var epochs = new ReadEpochs(stripes: 1);
        var current = new Thing();
        var replaced = new List<Thing>();
        Span<int> done = [0, 0, 0];
        int[] tokens = new int[2];
        var seen = new Thing?[2];
        foreach (int actor in schedule)
        {
            int step = done[actor]++;
            switch (actor, step)
            {
                case (2, 0 or 2):
                    replaced.Add(current);
                    current = new Thing();
                    epochs.Retire(replaced[^1]);
                    break;
                case (2, _):
                    epochs.TryReclaim();
                    break;
                case (_, 0):
                    tokens[actor] = epochs.ChooseCounter();
                    break;
                case (_, 1):
                    epochs.Count(tokens[actor]);
                    break;
                case (_, 2):
                    seen[actor] = current;
                    break;
                default:
                    seen[actor] = null;
                    epochs.Exit(tokens[actor]);
                    break;
            }

            if (seen[0]?.Freed > 0 || seen[1]?.Freed > 0)
            {
                Assert.Fail($"freed under a reader: {string.Join(' ', schedule)}");
            }
        }

        epochs.Drain();
        if (!replaced.TrueForAll(thing => thing.Freed == 1))
        {
            Assert.Fail($"not freed once: {string.Join(' ', schedule)}");
        }
    }

    private sealed class Thing(Action? freeing = null) : IDisposable
    {
        public int Freed { get; private set; }

        public void Dispose()
        {
            Freed++;
            freeing?.Invoke();
        }
    }

    /// <summary>Native blocks that are poisoned while nobody has them.</summary>
    private sealed unsafe class PoisonedPool : IDisposable
    {
        public const long Sound = 0x50A7D;

        private const long Poison = unchecked((long)0xDEADDEADDEADDEAD);

        private readonly long* memory;
        private readonly Stack<nint> free = new();

        public PoisonedPool(int blocks)
        {
            memory = (long*)NativeMemory.AlignedAlloc((nuint)blocks * 64, 64);
            for (int i = 0; i < blocks; i++)
            {
                Give(memory + (i * 8));
            }
        }

        public int Left => free.Count;

        public long* Take()
        {
            lock (free)
            {
                if (!free.TryPop(out nint block))
                {
                    return null;
                }

                *(long*)block = Sound;
                return (long*)block;
            }
        }

        public void Give(long* block)
        {
            lock (free)
            {
                *block = Poison;
                free.Push((nint)block);
            }
        }

        public void Dispose() => NativeMemory.AlignedFree(memory);
    }
}
