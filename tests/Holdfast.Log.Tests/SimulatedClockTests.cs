using Holdfast.Testing;

namespace Holdfast.Log.Tests;

public sealed class SimulatedClockTests
{
    [Fact]
    public async Task TimersRingInOrderAtTheirMoments()
    {
        var clock = new SimulatedClock();
        var rung = new List<string>();
        DateTimeOffset start = clock.GetUtcNow();
        using ITimer late = clock.CreateTimer(_ => Note("late"), null, Seconds(5), Timeout.InfiniteTimeSpan);
        using ITimer often = clock.CreateTimer(_ => Note("often"), null, Seconds(2), Seconds(2));
        using ITimer stopped = clock.CreateTimer(_ => Note("stopped"), null, Seconds(1), Seconds(1));
        stopped.Dispose();
        Task delay = Task.Delay(Seconds(3), clock, CancellationToken.None);

        clock.Advance(Seconds(1));
        Assert.Empty(rung);
        Assert.False(delay.IsCompleted);
        clock.Advance(Seconds(5));

        Assert.Equal(["often 2", "often 4", "late 5", "often 6"], rung);
        Assert.Equal(start.AddSeconds(6), clock.GetUtcNow());
        await delay;

        void Note(string name) => rung.Add($"{name} {(clock.GetUtcNow() - start).TotalSeconds}");
    }

    [Fact]
    public void MonotonicTimeDoesNotFollowTheTimeOfDay()
    {
        var clock = new SimulatedClock();
        long begin = clock.GetTimestamp();
        clock.Advance(Seconds(3));
        clock.SetTimeOfDay(new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero));

        Assert.Equal(Seconds(3), clock.GetElapsedTime(begin));
        Assert.Equal(2000, clock.GetUtcNow().Year);
    }

    [Fact]
    public void SimulatedRandomnessRepeats()
    {
        byte[] first = new byte[100];
        byte[] second = new byte[100];
        new SimulatedEntropy(1).Fill(first);
        new SimulatedEntropy(1).Fill(second);

        Assert.Equal(first, second);
        new SimulatedEntropy(2).Fill(second);
        Assert.NotEqual(first, second);
    }

    private static TimeSpan Seconds(int count) => TimeSpan.FromSeconds(count);
}
