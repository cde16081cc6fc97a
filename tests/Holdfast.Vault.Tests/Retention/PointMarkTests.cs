using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Tests.Retention;

public sealed class PointMarkTests
{
    private static readonly SessionId A = new(0, 1), B = new(0, 2), C = new(7, 0);
    private static readonly DateTimeOffset Time = new(2026, 11, 20, 12, 0, 0, 250, TimeSpan.Zero);

    [Fact]
    public void MarksComeBackAsTheyWere()
    {
        PointMark[] marks =
        [
            new(MarkKind.Forget, Time, null, "", [A, B, C]), new(MarkKind.Hold, Time, Time.AddDays(3), "audit", [B]),
            new(MarkKind.Hold, DateTimeOffset.UnixEpoch.AddYears(-3), null, "", []), new(MarkKind.Release, Time, null, "", [C]), new(MarkKind.Undelete, Time, null, "", [A]),
        ];
        foreach (PointMark mark in marks)
        {
            PointMark read = PointMark.Decode(mark.Encode(), "marks/00000000");
            Assert.Equal(mark with { Points = [] }, read with { Points = [] });
            Assert.Equal(mark.Points, read.Points);
        }
    }

    [Fact]
    public void MutatedMarksAreReadOrRefusedAndNothingElseHappens()
    {
        const int seed = 815;
        var random = new Random(seed);
        byte[] encoded = new PointMark(MarkKind.Hold, Time, Time, "audit", [A, B, C]).Encode();
        for (int i = 0; i < 20_000; i++)
        {
            byte[] mutated = TestKeys.Mutate(random, encoded);
            try
            {
                _ = PointMark.Decode(mutated, "marks/00000000");
            }
            catch (DamageException)
            {
                // Refused.
            }
            catch (Exception error)
            {
                Assert.Fail($"seed {seed}, round {i}: {error}");
            }
        }
    }

    [Fact]
    public void PointsOutOfOrderAreRefused()
    {
        Assert.Throws<DamageException>(() => PointMark.Decode(new PointMark(MarkKind.Forget, Time, null, "", [B, A]).Encode(), "m"));
        Assert.Throws<DamageException>(() => PointMark.Decode(new PointMark(MarkKind.Forget, Time, null, "", [A, A]).Encode(), "m"));
        Assert.Throws<DamageException>(() => PointMark.Decode(new PointMark(MarkKind.Forget, Time, Time, "", [A]).Encode(), "m"));
    }

    [Theory]
    [InlineData("marks/00000000", true)]
    [InlineData("marks/fffffffe", true)]
    [InlineData("marks/ffffffff", false)]
    [InlineData("marks/FFFFFFFE", false)]
    [InlineData("marks/0000000", false)]
    [InlineData("marks/000000000", false)]
    public void NumbersHaveEightDigits(string name, bool isMark) => Assert.Equal(isMark, PointMark.TryParseName(name, out _));

    [Theory]
    // A letter for each mark, in order, of one point: forget, undelete, hold, release, condemn, and t: hold for an hour.
    [InlineData("", false, false)]
    [InlineData("f", true, false)]
    [InlineData("ff", true, false)]
    [InlineData("fu", false, false)]
    [InlineData("fuf", true, false)]
    [InlineData("h", false, true)]
    [InlineData("hr", false, false)]
    [InlineData("hrf", true, false)]
    // Who forgets what is on hold is not obeyed, nor who holds what is forgotten.
    [InlineData("hf", false, true)]
    [InlineData("fh", true, false)]
    [InlineData("fhu", false, false)]
    [InlineData("tf", false, true)]
    // What is being pruned does not come back; what is not forgotten cannot be pruned.
    [InlineData("fcu", true, false)]
    [InlineData("c", false, false)]
    [InlineData("cfu", false, false)]
    public async Task TheLastMarkThatCountsDecides(string marks, bool isForgotten, bool isHeld)
    {
        using OpenVault vault = await OpenAsync(new MemoryObjectStore(new SimulatedClock()));
        foreach (char mark in marks) Assert.True(await PutAsync(vault, mark));

        PointMarks read = await PointMarks.ReadAsync(vault, TestContext.Current.CancellationToken);

        Assert.Equal((isForgotten, isHeld), (read.ForgottenSince(A) is not null, read.HoldOf(A) is not null));
        Assert.Equal((uint)marks.Length, read.Next);
        Assert.Null(read.ForgottenSince(B));
    }

    [Fact]
    public async Task AHoldEndsByTheStoresClock()
    {
        var clock = new SimulatedClock(Time);
        using OpenVault vault = await OpenAsync(new MemoryObjectStore(clock));
        await PutAsync(vault, 't');
        clock.Advance(TimeSpan.FromHours(1));
        await PutAsync(vault, 'f');

        PointMarks read = await PointMarks.ReadAsync(vault, TestContext.Current.CancellationToken);

        Assert.Equal(Time.AddHours(1), read.ForgottenSince(A));
    }

    [Fact]
    public async Task AMarkThatCannotBeReadSaysNothingAndIsTold()
    {
        var store = new MemoryObjectStore(new SimulatedClock());
        using OpenVault vault = await OpenAsync(store);
        await PutAsync(vault, 'f');
        await PutAsync(vault, 'u');
        store.Overwrite("marks/00000001", [1, 2, 3]);

        PointMarks read = await PointMarks.ReadAsync(vault, TestContext.Current.CancellationToken);

        Assert.NotNull(read.ForgottenSince(A));
        Assert.Equal(ErrorKind.Damage, read.Damage?.Kind);
        Assert.Equal(2u, read.Next);
        Assert.Contains("marks/00000001", Assert.Single(vault.Damages), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ANumberIsTakenOnce()
    {
        using OpenVault vault = await OpenAsync(new MemoryObjectStore(new SimulatedClock()));
        var mark = new PointMark(MarkKind.Forget, Time, null, "", [A]);

        Assert.True(await PointMarks.TryPutAsync(vault, 0, mark, TestContext.Current.CancellationToken));
        Assert.False(await PointMarks.TryPutAsync(vault, 0, mark with { Points = [B] }, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task AStoreThatDoesNotCreateOnceIsRefused()
    {
        using OpenVault vault = await OpenAsync(new MemoryObjectStore(new SimulatedClock()) { Capabilities = new StoreCapabilities(false, TimeSpan.Zero, false) });

        await Assert.ThrowsAsync<HoldfastException>(() => PutAsync(vault, 'f'));
    }

    [Fact]
    public async Task WhatIsBeingPrunedIsNotBroughtBack()
    {
        using OpenVault vault = await OpenAsync(new MemoryObjectStore(new SimulatedClock()));
        await PutAsync(vault, 'f');
        await PutAsync(vault, 'c');

        HoldfastException refused = await Assert.ThrowsAsync<HoldfastException>(() => PointState.UndeleteAsync(vault, [A], TestContext.Current.CancellationToken));

        Assert.Equal(ErrorKind.Refused, refused.Kind);
    }

    private static async Task<OpenVault> OpenAsync(IObjectStore store)
    {
        using VaultSecret secret = VaultFixture.Secret();
        return await OpenVault.InitAsync(Host.CreateReal(), store, secret, "first", TestContext.Current.CancellationToken);
    }

    private static async Task<bool> PutAsync(OpenVault vault, char letter)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        PointMarks marks = await PointMarks.ReadAsync(vault, stop);
        var kind = letter switch { 'f' => MarkKind.Forget, 'u' => MarkKind.Undelete, 'r' => MarkKind.Release, 'c' => MarkKind.Condemn, _ => MarkKind.Hold };
        DateTimeOffset? until = letter == 't' ? (await vault.Store.StatAsync("vault", stop))!.Value.Stored.AddHours(1) : null;
        return await PointMarks.TryPutAsync(vault, marks.Next, new PointMark(kind, Time, until, "", [A]), stop);
    }
}
