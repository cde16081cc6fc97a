namespace Holdfast.Benchmarks.Measuring;

/// The benchmark cannot go on; the message is for the user.
internal sealed class BenchmarkException(string message) : Exception(message);
