using Holdfast.Storage;
using Xunit;

namespace Holdfast.Testing;

/// <summary>
/// What every <see cref="IObjectStore"/> must do. A store's tests derive from it and give it an empty store.
/// </summary>
public abstract class ObjectStoreContract
{
    private static readonly CancellationToken None = CancellationToken.None;

    /// <summary>An empty store, made anew for each test.</summary>
    protected abstract IObjectStore Store { get; }

    [Fact]
    public async Task APutObjectReadsBackWhole()
    {
        byte[] content = Bytes(100_000, seed: 1);

        Assert.Equal(PutOutcome.Written, await Store.PutIfAbsentAsync("data/3f/0001", content, None));

        Assert.Equal(content, await Store.TryGetAsync("data/3f/0001", content.Length, None));
    }

    [Fact]
    public async Task APutOfTheSameContentSaysSo()
    {
        byte[] content = Bytes(200_000, seed: 2);
        await Store.PutIfAbsentAsync("a", content, None);

        Assert.Equal(PutOutcome.SameContent, await Store.PutIfAbsentAsync("a", content, None));
        Assert.Equal(PutOutcome.SameContent, await Store.PutIfAbsentAsync("a", (byte[])content.Clone(), None));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(199_999)]
    public async Task ATakenNameKeepsItsContent(int differsAt)
    {
        byte[] first = Bytes(200_000, seed: 3);
        await Store.PutIfAbsentAsync("a/b", first, None);
        byte[] other = (byte[])first.Clone();
        other[differsAt] ^= 1;

        Assert.Equal(PutOutcome.Taken, await Store.PutIfAbsentAsync("a/b", other, None));
        Assert.Equal(PutOutcome.Taken, await Store.PutIfAbsentAsync("a/b", first.AsMemory(1), None));
        Assert.Equal(PutOutcome.Taken, await Store.PutIfAbsentAsync("a/b", Array.Empty<byte>(), None));

        Assert.Equal(first, await Store.TryGetAsync("a/b", first.Length, None));
    }

    [Fact]
    public async Task AnObjectMayBeEmpty()
    {
        Assert.Equal(PutOutcome.Written, await Store.PutIfAbsentAsync("empty", default, None));
        Assert.Equal(PutOutcome.SameContent, await Store.PutIfAbsentAsync("empty", default, None));
        Assert.Equal(PutOutcome.Taken, await Store.PutIfAbsentAsync("empty", new byte[1], None));

        Assert.Equal(0, (await Store.StatAsync("empty", None))!.Value.Length);
        Assert.Equal(0, await Store.ReadAsync("empty", 0, new byte[10], None));
    }

    [Fact]
    public async Task TheLargestObjectFitsAndOneByteMoreIsRefused()
    {
        byte[] content = new byte[IObjectStore.MaxObjectBytes + 1];
        content[^2] = 7;

        await Assert.ThrowsAsync<ArgumentException>(() => Store.PutIfAbsentAsync("large", content, None));
        Assert.Null(await Store.StatAsync("large", None));

        ReadOnlyMemory<byte> largest = content.AsMemory(0, IObjectStore.MaxObjectBytes);
        Assert.Equal(PutOutcome.Written, await Store.PutIfAbsentAsync("large", largest, None));
        Assert.Equal(IObjectStore.MaxObjectBytes, (await Store.StatAsync("large", None))!.Value.Length);
        byte[] end = new byte[2];
        Assert.Equal(1, await Store.ReadAsync("large", IObjectStore.MaxObjectBytes - 1, end, None));
        Assert.Equal(7, end[0]);
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0, 1, 1)]
    [InlineData(0, 1000, 1000)]
    [InlineData(0, 1001, 1000)]
    [InlineData(1, 999, 999)]
    [InlineData(999, 1, 1)]
    [InlineData(999, 2, 1)]
    [InlineData(1000, 1, 0)]
    [InlineData(1001, 1, 0)]
    [InlineData(long.MaxValue - 1000, 10, 0)]
    public async Task ARangedReadGivesWhatThereIs(long offset, int asked, int expected)
    {
        byte[] content = Bytes(1000, seed: 4);
        await Store.PutIfAbsentAsync("ranged", content, None);
        byte[] target = new byte[asked];

        Assert.Equal(expected, await Store.ReadAsync("ranged", offset, target, None));

        Assert.Equal(content.AsSpan((int)Math.Min(offset, 1000), expected), target.AsSpan(0, expected));
        Assert.All(target[expected..], b => Assert.Equal(0, b));
    }

    [Fact]
    public async Task WhatIsAbsentIsNoError()
    {
        Assert.Null(await Store.ReadAsync("absent", 0, new byte[1], None));
        Assert.Null(await Store.StatAsync("absent", None));
        Assert.Null(await Store.TryGetAsync("not/there", 10, None));
        Assert.False(await Store.DeleteAsync("absent", None));
        Assert.False(await Store.DeleteAsync("not/there", None));
        Assert.Empty((await Store.ListPageAsync("", null, None)).Entries);
        ObjectPage page = await Store.ListPageAsync("not/there/", null, None);
        Assert.Empty(page.Entries);
        Assert.Null(page.Next);
    }

    [Fact]
    public async Task APrefixIsNoObject()
    {
        await Store.PutIfAbsentAsync("a/b/c", new byte[1], None);

        Assert.Null(await Store.StatAsync("a/b", None));
        Assert.Null(await Store.ReadAsync("a", 0, new byte[1], None));
        Assert.False(await Store.DeleteAsync("a/b", None));
        Assert.Null(await Store.StatAsync("a/b/c/d", None));
        Assert.Null(await Store.ReadAsync("a/b/c/d", 0, new byte[1], None));
        Assert.NotNull(await Store.StatAsync("a/b/c", None));
    }

    [Fact]
    public async Task ADeletedObjectIsGoneAndItsNameIsFree()
    {
        await Store.PutIfAbsentAsync("a/b", new byte[10], None);
        Assert.Equal(10, await Store.ReadAsync("a/b", 0, new byte[10], None));

        Assert.True(await Store.DeleteAsync("a/b", None));

        Assert.Null(await Store.ReadAsync("a/b", 0, new byte[10], None));
        Assert.Null(await Store.StatAsync("a/b", None));
        Assert.Empty((await Store.ListPageAsync("", null, None)).Entries);
        Assert.False(await Store.DeleteAsync("a/b", None));
        Assert.Equal(PutOutcome.Written, await Store.PutIfAbsentAsync("a/b", new byte[5], None));
        Assert.Equal(5, (await Store.StatAsync("a/b", None))!.Value.Length);
    }

    [Fact]
    public async Task PagesAreInOrdinalOrderWithoutGapsOrRepeats()
    {
        // '-' and '.' sort before '/', '0' and letters behind it: names beside and below one another must interleave.
        string[] folders = ["", "a/", "a-b/", "a.b/", "a0/", "ab/", "a/a/", "a/-/", "z/y/x/w/"];
        var random = new Random(5);
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (names.Count < 2500) names.Add($"{folders[random.Next(folders.Length)]}{random.Next(1_000_000):d6}.x");
        await Parallel.ForEachAsync(
            names,
            new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (name, token) => await Store.PutIfAbsentAsync(name, new byte[name.Length], token));

        string[] expected = [.. names.Order(StringComparer.Ordinal)];
        var found = new List<ObjectEntry>();
        string? after = null;
        do
        {
            ObjectPage page = await Store.ListPageAsync("", after, None);
            Assert.InRange(page.Entries.Count, 1, 1000);
            found.AddRange(page.Entries);
            after = page.Next;
        }
        while (after is not null);

        Assert.Equal(expected, found.Select(e => e.Name));
        Assert.All(found, e => Assert.Equal(e.Name.Length, e.Length));
        foreach (string prefix in folders)
        {
            string[] below = [.. expected.Where(n => n.StartsWith(prefix, StringComparison.Ordinal))];
            Assert.Equal(below, await Store.ListAsync(prefix, None).Select(e => e.Name).ToArrayAsync());
        }

        foreach (string start in new[] { "!", "a", "a/", "a/-", "a/0", "a0", expected[17], expected[17] + "0", "zz" })
        {
            ObjectPage page = await Store.ListPageAsync("", start, None);
            Assert.Equal(
                expected.Where(n => string.CompareOrdinal(n, start) > 0).Take(page.Entries.Count),
                page.Entries.Select(e => e.Name));
        }
    }

    [Fact]
    public async Task AFullLastPageIsNotFollowedByAnEmptyOne()
    {
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 1001),
            new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (i, token) => await Store.PutIfAbsentAsync($"n/{i:d5}", default, token));

        ObjectPage first = await Store.ListPageAsync("n/", null, None);
        Assert.Equal(1000, first.Entries.Count);
        Assert.Equal("n/00999", first.Next);

        await Store.DeleteAsync("n/00500", None);
        ObjectPage all = await Store.ListPageAsync("n/", null, None);
        Assert.Equal(1000, all.Entries.Count);
        Assert.Null(all.Next);
    }

    [Fact]
    public async Task OfConcurrentPutsOfOneNameExactlyOneIsWritten()
    {
        for (int round = 0; round < 10; round++)
        {
            string name = $"race/{round}/object";
            PutOutcome[] outcomes = await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(() =>
                Store.PutIfAbsentAsync(name, Bytes(1000, seed: writer / 2), None))));

            Assert.Single(outcomes, o => o == PutOutcome.Written);
            Assert.Single(outcomes, o => o == PutOutcome.SameContent);
            byte[]? content = await Store.TryGetAsync(name, 1000, None);
            int winner = Array.IndexOf(outcomes, PutOutcome.Written);
            Assert.Equal(Bytes(1000, seed: winner / 2), content);
        }
    }

    [Fact]
    public async Task ConcurrentPutsBelowOneNewPrefixAllSucceed()
    {
        PutOutcome[] outcomes = await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(() =>
            Store.PutIfAbsentAsync($"new/{writer % 2}/prefix/{writer}", new byte[writer], None))));

        Assert.All(outcomes, o => Assert.Equal(PutOutcome.Written, o));
        Assert.Equal(16, await Store.ListAsync("new/", None).CountAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData(".staging-0123456789abcdef")]
    [InlineData("a/.b")]
    [InlineData("A")]
    [InlineData("a b")]
    [InlineData("ä")]
    [InlineData("a\0b")]
    [InlineData("a\\b")]
    public async Task ANameOutsideTheRuleIsRefusedByEveryMethod(string name)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Store.PutIfAbsentAsync(name, default, None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.ReadAsync(name, 0, new byte[1], None));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.StatAsync(name, None));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.DeleteAsync(name, None));
        Assert.Empty((await Store.ListPageAsync("", null, None)).Entries);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("/")]
    [InlineData("../")]
    [InlineData("a//")]
    public async Task APrefixOutsideTheRuleIsRefused(string prefix) =>
        await Assert.ThrowsAsync<ArgumentException>(() => Store.ListPageAsync(prefix, null, None));

    [Fact]
    public async Task TheLongestNameWorksAndALongerOneIsRefused()
    {
        string longest = string.Join('/', Enumerable.Repeat(new string('n', 9), 20));
        longest += new string('n', ObjectName.MaxLength - longest.Length);

        Assert.Equal(PutOutcome.Written, await Store.PutIfAbsentAsync(longest, new byte[1], None));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.PutIfAbsentAsync(longest + "n", default, None));

        Assert.Equal([longest], await Store.ListAsync("", None).Select(e => e.Name).ToArrayAsync());
    }

    [Fact]
    public async Task CancellingBeforeTheStartLeavesNothing()
    {
        await Store.PutIfAbsentAsync("kept", new byte[1], None);
        var cancelled = new CancellationToken(canceled: true);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Store.PutIfAbsentAsync("a/b", new byte[1], cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.DeleteAsync("kept", cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await Store.ReadAsync("kept", 0, new byte[1], cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.StatAsync("kept", cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.ListPageAsync("", null, cancelled));

        Assert.Equal(["kept"], await Store.ListAsync("", None).Select(e => e.Name).ToArrayAsync());
    }

    [Fact]
    public async Task StatAndListAgree()
    {
        await Store.PutIfAbsentAsync("x/1", new byte[3], None);
        await Store.PutIfAbsentAsync("x/2", new byte[4], None);

        ObjectPage page = await Store.ListPageAsync("x/", null, None);

        Assert.Equal(2, page.Entries.Count);
        foreach (ObjectEntry entry in page.Entries) Assert.Equal(entry, await Store.StatAsync(entry.Name, None));
    }

    private static byte[] Bytes(int count, int seed)
    {
        byte[] content = new byte[count];
        new Random(seed).NextBytes(content);
        return content;
    }
}
