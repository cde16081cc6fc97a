using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Holdfast.Databases.RocksDb;

namespace Holdfast.Databases.Tests.RocksDb;

/// <summary>
/// A sequence of operations that its seed fixes: each is one batch over two column families, and writes its own number. So of any state it can be
/// told after which operation it was, and what else must be in it.
/// </summary>
internal sealed class Workload(int seed, int keys = 1500)
{
    public const string SecondFamily = "second";
    public static ReadOnlySpan<byte> NumberKey => "~number"u8;

    /// Small buffers, so that tables come and go quickly.
    public static RocksOptions Options { get; } = new()
    {
        CreateIfMissing = true,
        Family = new RocksFamilyOptions { WriteBufferBytes = 256 << 10, TableFileBytes = 256 << 10, BloomBitsPerKey = 10 },
        Families = new Dictionary<string, RocksFamilyOptions>
        {
            [SecondFamily] = new() { WriteBufferBytes = 128 << 10, MinBlobBytes = 300, Compression = RocksCompression.Zstd },
        },
    };

    private readonly SortedDictionary<string, byte[]>[] model = [new(StringComparer.Ordinal), new(StringComparer.Ordinal)];
    private long modelled;

    /// <summary>Makes one operation.</summary>
    public void Apply(RocksDatabase database, RocksBatch batch, long number, RocksDurability durability = RocksDurability.Logged)
    {
        RocksColumnFamily second = database.FindColumnFamily(SecondFamily)!;
        batch.Clear();
        foreach ((int family, string key, byte[]? value) in ChangesOf(number))
        {
            RocksColumnFamily target = family == 0 ? database.Default : second;
            if (value is null) batch.Delete(target, Encoding.UTF8.GetBytes(key));
            else batch.Put(target, Encoding.UTF8.GetBytes(key), value);
        }

        Span<byte> text = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(text, number);
        batch.Put(database.Default, NumberKey, text);
        database.Write(batch, durability);
    }

    /// <summary>After which operation the state of a database is; 0 for none.</summary>
    public static long NumberOf(RocksDatabase database) =>
        database.Get(NumberKey) is { } value ? BinaryPrimitives.ReadInt64BigEndian(value) : 0;

    /// <summary>Fails unless a database is exactly what the operations up to its number make. Numbers must not go back.</summary>
    public void Compare(RocksDatabase database, string explanation)
    {
        long number = NumberOf(database);
        Assert.True(number >= modelled, $"{explanation}: state {number} after one of {modelled}");
        for (; modelled < number; modelled++)
        {
            foreach ((int family, string key, byte[]? value) in ChangesOf(modelled + 1))
            {
                if (value is null) model[family].Remove(key);
                else model[family][key] = value;
            }
        }

        CompareFamily(database, database.Default, model[0], explanation);
        if (database.FindColumnFamily(SecondFamily) is { } second) CompareFamily(database, second, model[1], explanation);
        else Assert.Empty(model[1]);
    }

    private static void CompareFamily(
        RocksDatabase database, RocksColumnFamily family, SortedDictionary<string, byte[]> expected, string explanation)
    {
        using RocksIterator iterator = database.Iterate(family);
        using SortedDictionary<string, byte[]>.Enumerator wanted = expected.GetEnumerator();
        for (bool isThere = iterator.SeekToFirst(); isThere; isThere = iterator.MoveNext())
        {
            if (iterator.Key.SequenceEqual(NumberKey)) continue;
            string key = Encoding.UTF8.GetString(iterator.Key);
            Assert.True(wanted.MoveNext(), $"{explanation}: {family}: '{key}' is too much");
            Assert.True(key == wanted.Current.Key, $"{explanation}: {family}: '{key}' instead of '{wanted.Current.Key}'");
            Assert.True(iterator.Value.SequenceEqual(wanted.Current.Value), $"{explanation}: {family}: '{key}' has another value");
        }

        Assert.False(wanted.MoveNext(), $"{explanation}: {family}: keys are missing");
    }

    private IEnumerable<(int Family, string Key, byte[]? Value)> ChangesOf(long number)
    {
        var random = new Random(HashCode(number));
        int changes = random.Next(1, 4);
        for (int i = 0; i < changes; i++)
        {
            int family = random.Next(2);
            string key = $"key{random.Next(keys).ToString("d6", CultureInfo.InvariantCulture)}";
            if (random.Next(8) == 0)
            {
                yield return (family, key, null);
                continue;
            }

            byte[] value = new byte[random.Next(8, random.Next(10) == 0 ? 2000 : 200)];
            random.NextBytes(value.AsSpan(0, value.Length / 2));
            yield return (family, key, value);
        }
    }

    private int HashCode(long number) => (int)((((ulong)number * 0x9E3779B97F4A7C15) >> 32) ^ (uint)seed);
}
