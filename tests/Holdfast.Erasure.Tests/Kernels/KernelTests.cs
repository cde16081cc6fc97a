using Holdfast.Erasure.Coding;
using Holdfast.Erasure.Kernels;

namespace Holdfast.Erasure.Tests.Kernels;

public sealed class KernelTests
{
    /// All that this machine can run, and those for GFNI emulated.
    private static readonly Kernel[] Tested =
    [
        .. Kernel.All.Where(kernel => kernel.IsSupported),
        new EmulatedAffine512Kernel(),
        new EmulatedAffine256Kernel(),
    ];

    public static TheoryData<string> Names => [.. Tested.Select(kernel => kernel.Name)];

    public static TheoryData<string, int> NamesAndParity =>
        new(from kernel in Tested from parity in Enumerable.Range(1, 6) select (kernel.Name, parity));

    [Fact]
    public void EveryTableMultipliesWithItsCoefficient()
    {
        byte[] table = new byte[Kernel.MaxTableBytes];
        for (int coefficient = 0; coefficient < 256; coefficient++)
        {
            NibbleTables.Write((byte)coefficient, table);
            ulong matrix = AffineMatrices.Of((byte)coefficient);
            for (int value = 0; value < 256; value++)
            {
                byte product = BitwiseField.Multiply(coefficient, value);
                Assert.Equal(product, table[value & 15] ^ table[NibbleTables.UpperOffset + (value >> 4)]);
                Assert.Equal(product, EmulatedAffine.Transform((byte)value, matrix));
            }
        }

        // As they stand in other programs for this field, so that emulation and tables are not wrong in the same way.
        Assert.Equal(0x0102040810204080UL, AffineMatrices.Of(1));
        Assert.Equal(0x8001828488102040UL, AffineMatrices.Of(2));
        Assert.Equal(0x8103868C983060C0UL, AffineMatrices.Of(3));
    }

    [Theory, MemberData(nameof(NamesAndParity))]
    public void EveryLengthIsCodedAsBytesAre(string name, int parityShards)
    {
        Kernel kernel = Tested.Single(kernel => kernel.Name == name);
        var random = new Random(parityShards);
        for (int length = 0; length <= 200; length++)
        {
            int dataShards = random.Next(1, 6);
            AssertCoded(kernel, random, dataShards, parityShards, length);
        }
    }

    [Theory, MemberData(nameof(NamesAndParity))]
    public void TailsOfManySourcesAreCodedAsBytesAre(string name, int parityShards)
    {
        Kernel kernel = Tested.Single(kernel => kernel.Name == name);
        var random = new Random(parityShards);
        foreach (int dataShards in (int[])[15, 16, 17, 32, 40])
        {
            AssertCoded(kernel, random, dataShards, parityShards, random.Next(1, 300));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void UnitsOfSeveralSlicesAreCodedAsBytesAre(string name)
    {
        // 200 sources of 1 KiB are a slice: five of them and more.
        Kernel kernel = Tested.Single(kernel => kernel.Name == name);
        bool isSlow = name.EndsWith("emulated", StringComparison.Ordinal);
        AssertCoded(kernel, new Random(1), isSlow ? 130 : 200, 6, isSlow ? 2100 : 5432);
    }

    [Theory, MemberData(nameof(Names))]
    public void SumsAreAddedToWhatIsThere(string name)
    {
        Kernel kernel = Tested.Single(kernel => kernel.Name == name);
        var random = new Random(1);
        for (int length = 0; length <= 200; length += 7)
        {
            for (int parityShards = 1; parityShards <= 6; parityShards++)
            {
                ReedSolomon code = ReedSolomon.Create(3, parityShards, kernel);
                using var shards = TestShards.Encoded(random, 3, parityShards, length);
                using var after = new TestShards(1, length, random.Next(64));
                random.NextBytes(after[0]);
                code.UpdateParity(1, shards.Pointers[1], after.Pointers[0], shards.Pointers[3..], length);
                after[0].CopyTo(shards[1]);
                ReedSolomon reference = ReedSolomon.Create(3, parityShards, Kernel.Scalar);
                string context = $"3+{parityShards}, {length} bytes";
                Assert.True(reference.IsConsistent(shards.Pointers[..3], shards.Pointers[3..], length), context);
                shards.AssertGuards(context);
            }
        }
    }

    [Fact]
    public void TheFirstKernelThatRunsIsChosen()
    {
        Assert.Same(Tested[0], Kernel.Best);
        Assert.Same(Kernel.Best, ReedSolomon.Create(2, 1).Kernel);
        Assert.All(Kernel.All, kernel =>
        {
            Assert.InRange(kernel.ColumnBytes, 1, Kernel.MaxColumnBytes);
            Assert.InRange(kernel.TableBytes, 1, Kernel.MaxTableBytes);
        });
    }

    /// Against sums of products taken bit by bit for some bytes, and against the scalar kernel for all.
    private static void AssertCoded(Kernel kernel, Random random, int dataShards, int parityShards, int length)
    {
        string context = $"{kernel.Name}, {dataShards}+{parityShards}, {length} bytes";
        using var data = new TestShards(dataShards, length, random.Next(64));
        using var coded = new TestShards(parityShards, length, random.Next(64));
        using var expected = new TestShards(parityShards, length, random.Next(64));
        for (int i = 0; i < dataShards; i++) random.NextBytes(data[i]);

        ReedSolomon.Create(dataShards, parityShards, kernel).Encode(data.Pointers, coded.Pointers, length);
        ReedSolomon.Create(dataShards, parityShards, Kernel.Scalar).Encode(data.Pointers, expected.Pointers, length);

        for (int row = 0; row < parityShards; row++) coded.AssertEqual(expected, row, context);
        coded.AssertGuards(context);
        data.AssertGuards(context);
        for (int at = 0; at < length; at += 41)
        {
            int sum = 0;
            for (int i = 0; i < dataShards; i++)
            {
                sum ^= BitwiseField.Multiply(CauchyMatrix.Coefficient(dataShards, parityShards - 1, i), data[i][at]);
            }

            Assert.True(coded[parityShards - 1][at] == sum, context);
        }
    }
}
