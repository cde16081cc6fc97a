using Holdfast.Log;

namespace Holdfast.Vault.Tests.Fuzzing;

/// Goal: whatever bytes a decoder is given, it reads them or refuses them, with memory in proportion to what it was given.
/// Method: valid encodings are changed from a seed and decoded; what is sealed is changed before the seal, which would stop all
/// else. The list of decoders is in <see cref="FuzzedDecoders"/>.
public sealed class DecoderFuzzTests
{
    private const int Seed = 20_260_101;

    public static TheoryData<string> Names => [.. FuzzedDecoders.All.Select(decoder => decoder.Name)];

    [Theory, MemberData(nameof(Names))]
    public Task ChangedBytesAreReadOrRefused(string decoder) => FuzzAsync(decoder, Seed, rounds: 2000);

    [Theory, MemberData(nameof(Names)), Trait("Category", "Long")]
    public Task ChangedBytesAreReadOrRefusedForLong(string decoder) => FuzzAsync(decoder, Seed + 1, rounds: 200_000);

    private static async Task FuzzAsync(string name, int seed, int rounds)
    {
        FuzzedDecoder decoder = FuzzedDecoders.All.Single(candidate => candidate.Name == name);
        var random = new Random(seed);
        byte[][] samples = decoder.Samples();
        // Also makes ready what is made once.
        foreach (byte[] sample in samples) await decoder.DecodeAsync(sample);
        int refused = 0;
        for (int round = 0; round < rounds; round++)
        {
            byte[] source = samples[random.Next(samples.Length)], donor = samples[random.Next(samples.Length)];
            byte[] mutated = round % 50 == 0 ? TestKeys.Random(random, random.Next(source.Length + 64)) : Mutator.Mutate(random, source, donor);
            if (random.Next(2) == 0) decoder.Mend?.Invoke(mutated);
            long before = GC.GetAllocatedBytesForCurrentThread();
            ValueTask decoding = default;
            try
            {
                decoding = decoder.DecodeAsync(mutated);
                Assert.True(decoding.IsCompleted, "decoders do not wait: memory is counted by the thread");
                await decoding;
            }
            catch (HoldfastException)
            {
                refused++;
            }
            catch (Exception error)
            {
                Assert.Fail($"{name}, seed {seed}, round {round}, {Convert.ToHexString(mutated.AsSpan(0, Math.Min(mutated.Length, 400)))}: {error}");
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            long allowed = decoder.SpareBytes + (decoder.BytesPerByte * mutated.Length);
            Assert.True(allocated <= allowed, $"{name}, seed {seed}, round {round}: {allocated} bytes of memory for {mutated.Length}, {allowed} allowed");
        }

        Assert.True(refused > 0, $"{name}, seed {seed}: refuses nothing");
    }
}
